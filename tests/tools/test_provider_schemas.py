"""The provider plugins that the project builds answer to the Python packages that it pins."""

import re
from importlib.metadata import version

import pytest

from tests.tools import sdk_shapes
from tests.tools.provider_schemas import PACKAGES, plugin, unknown_properties
from tools.paths import PROJECT
from tools.toolchain import PROVIDERS

# Services that AWS has ended since the plugin's upstream: only the plugin has endpoints for them.
ENDED_SERVICES = [
    "forecast",
    "iotanalytics",
    "iotevents",
    "macie",
    "managedblockchain",
    "marketplacecatalog",
    "mediastoredata",
    "opsworks",
    "personalize",
    "sdb",
    "worklink",
]

packages = pytest.mark.parametrize("package", PACKAGES)


@packages
def test_versions_are_those_of_the_python_packages(package: str) -> None:
    tool = PROVIDERS[PACKAGES.index(package)]
    assert plugin(package).schema["version"] == tool.version == version(f"pulumi-{package}")


@packages
def test_every_token_is_one_of_the_python_package(package: str) -> None:
    tokens = plugin(package).members()
    assert len(tokens) > 1
    assert {sdk_shapes.token_of(sdk_shapes.member(token)) for token in tokens} == set(tokens)


@packages
def test_nothing_is_mapped_that_no_program_uses(package: str) -> None:
    programs = [path for folder in ("components", "bootstrap") for path in (PROJECT / folder).glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in programs)
    unused = []
    for token in plugin(package).members():
        used = sdk_shapes.member(token)
        module = used.__module__.split(".")[1:-1]
        name = re.escape(".".join([package, *module, used.__name__.removesuffix("_output")]))
        if not re.search(rf"\b{name}(_output)?\(", text):
            unused.append(token)
    assert unused == [f"pulumi:providers:{package}"]


@packages
def test_inputs_have_the_python_packages_names_and_types(package: str) -> None:
    found = {
        f"{token}: {difference}"
        for token in plugin(package).members()
        for difference in plugin(package).inputs(token).differences(sdk_shapes.inputs(token))
    }
    ended = {f"pulumi:providers:aws: endpoints.{name}: not in the Python package" for name in ENDED_SERVICES}
    assert found == (ended if package == "aws" else set())


@packages
def test_no_input_is_required_that_the_python_package_leaves_out(package: str) -> None:
    members = plugin(package).members()
    assert {
        token: surplus
        for token, spec in members.items()
        if (surplus := set(spec.get("requiredInputs", [])) - sdk_shapes.required(token))
    } == {}


@packages
def test_outputs_have_the_python_packages_names(package: str) -> None:
    # The packages give no types to a provider's own outputs, which nothing reads.
    members = {token: spec for token, spec in plugin(package).members().items() if "providers" not in token}
    assert {
        token: unread
        for token, spec in members.items()
        if (unread := set(spec["properties"]) - sdk_shapes.outputs(token))
    } == {}


@packages
def test_secrets_are_those_of_the_python_package(package: str) -> None:
    # A function's results are marked by what calls it: the packages do not say which are secret.
    marked = {
        token: {name for name, spec in member["properties"].items() if spec.get("secret")}
        for token, member in plugin(package).members().items()
        if token not in plugin(package).schema.get("functions", {})
    }
    assert {token: names for token, names in marked.items() if names} == {
        token: names for token in marked if (names := sdk_shapes.secrets(token))
    }


def test_the_keys_are_secret() -> None:
    user_key = plugin("aws").members()["aws:iam/accessKey:AccessKey"]["properties"]
    root = plugin("vault").members()["vault:aws/secretBackend:SecretBackend"]["properties"]
    assert [
        spec[name]["secret"]
        for spec, name in (
            (user_key, "secret"),
            (user_key, "sesSmtpPasswordV4"),
            (root, "accessKey"),
            (root, "secretKey"),
        )
    ] == [True] * 4


@pytest.mark.parametrize(
    ("token", "inputs", "named"),
    [
        ("vault:aws/secretBackendRole:SecretBackendRole", {"policyDocument": "{}", "roleArns": ["a"]}, None),
        ("vault:aws/secretBackendRole:SecretBackendRole", {"policyDocumnet": "{}"}, "policyDocumnet"),
        ("vault:aws/secretBackend:SecretBackend", ["secretKey", "secret_key"], "secret_key"),
        ("vault:index/authBackend:AuthBackend", {"tune": {"maxLeaseTtl": "1h"}}, None),
        ("vault:index/authBackend:AuthBackend", {"tune": {"maxLeaseTTL": "1h"}}, "tune.maxLeaseTTL"),
        ("pulumi:providers:aws", {"endpoints": [{"iam": "http://localhost"}]}, None),
        ("pulumi:providers:aws", {"endpoints": [{"aim": "http://localhost"}]}, "endpoints.aim"),
        ("aws:index/getCallerIdentity:getCallerIdentity", {"id": None}, None),
        ("aws:iam/user:User", {"name": "vault", "pathh": "/"}, "pathh"),
        ("vault-aws:role:Roles", {"anything": 1}, None),
    ],
)
def test_unknown_properties_are_named(token: str, inputs: dict[str, object], named: str | None) -> None:
    faults = unknown_properties(token, inputs)
    assert len(faults) == (0 if named is None else 2)
    assert all(fault.startswith(token) and fault.endswith(f" {named}") for fault in faults)


def test_what_only_one_side_knows_is_a_fault() -> None:
    (fault,) = unknown_properties("aws:sns/topic:Topic", {"name": "alerts", "signatureVersion": 2})
    assert fault == "aws:sns/topic:Topic: the provider plugin has no input signatureVersion"


def test_a_resource_that_is_not_mapped_is_a_fault() -> None:
    (fault,) = unknown_properties("aws:s3/bucket:Bucket", {})
    assert fault == "aws:s3/bucket:Bucket: the provider plugin does not map it"
