"""Every fault of the settings, as the person reads it."""

from typing import Any

import pytest

from settings.faults import FaultsError
from settings.load import from_values

DEPLOY = "arn:aws:iam::123456789012:role/deploy"


def faults_of(roles: Any = None, engines: Any = None, **others: Any) -> list[str]:
    config: dict[str, Any] = {
        "aws:region": "us-west-2",
        **{key.replace("_", ":"): value for key, value in others.items()},
    }
    if roles is not None:
        config["vault-aws:roles"] = roles
    if engines is not None:
        config["vault-aws:engines"] = engines
    with pytest.raises(FaultsError) as caught:
        from_values(config, "dev", "Pulumi.dev.yaml")
    return str(caught.value).splitlines()


def role_fault(name: str = "r", /, **role: Any) -> str:
    [fault] = faults_of({name: role})
    return fault.removeprefix(f"Pulumi.dev.yaml: roles.{name}")


USER = {"credentialType": "iam_user", "policy": "r.json"}
ASSUMED = {"credentialType": "assumed_role", "roleArns": [DEPLOY]}

ROLE_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({}, ": has no credentialType; write one of: iam_user, assumed_role, federation_token, session_token"),
    (
        {"credentialType": "iam_usr"},
        ": credentialType 'iam_usr' is not a credential type; did you mean 'iam_user'?",
    ),
    (USER | {"polcy": "x"}, ".polcy: is not a setting; did you mean 'policy'?"),
    (
        USER | {"roleArns": [DEPLOY]},
        ".roleArns: goes with credentialType assumed_role, and this role is iam_user; remove it, or change the type",
    ),
    (
        ASSUMED | {"userPath": "/x/"},
        ".userPath: goes with credentialType iam_user, and this role is assumed_role; remove it, or change the type",
    ),
    (
        {"credentialType": "session_token", "policy": "r.json"},
        ".policy: goes with credentialType iam_user or assumed_role or federation_token, and this role is "
        "session_token; remove it, or change the type",
    ),
    (
        USER | {"defaultStsTtl": "1h"},
        ".defaultStsTtl: goes with credentialType assumed_role or federation_token, and this role is iam_user; "
        "remove it, or change the type",
    ),
    (
        {"credentialType": "iam_user"},
        ": a role of credentialType iam_user needs policy, policyArns or groups",
    ),
    (
        {"credentialType": "federation_token"},
        ": a role of credentialType federation_token needs policy, policyArns or groups",
    ),
    (
        {"credentialType": "assumed_role"},
        ".roleArns: is missing; write the IAM roles that may be assumed; with more than one, a consumer names one",
    ),
    (
        {"credentialType": None},
        ": has no credentialType; write one of: iam_user, assumed_role, federation_token, session_token",
    ),
    (USER | {"tags": None}, ".tags: is empty, and must be a mapping of settings"),
    (
        ASSUMED | {"externalId": "a"},
        ".externalId: 'a' is not an external id; write 2 to 1,224 letters, digits and +=,.@:/_-",
    ),
    ({"credentialType": "assumed_role", "roleArns": []}, ".roleArns: is empty; name at least 1"),
    (
        ASSUMED | {"roleArns": [DEPLOY, DEPLOY]},
        f".roleArns: {DEPLOY!r} stands there 2 times; once is enough",
    ),
    (
        ASSUMED | {"maxStsTtl": "5h"},
        ".maxStsTtl: 5h0m0s is over 4h0m0s, the engine's maxLeaseTtl; lower it",
    ),
    (
        ASSUMED | {"defaultStsTtl": "2h", "maxStsTtl": "1h"},
        ".defaultStsTtl: 2h0m0s is over maxStsTtl (1h0m0s)",
    ),
    (
        ASSUMED | {"defaultStsTtl": "5m"},
        ".defaultStsTtl: 5m is too short; AWS makes sessions of at least 15m0s",
    ),
    (
        ASSUMED | {"maxStsTtl": "1 hour"},
        ".maxStsTtl: '1 hour' is not a duration; write hours, minutes and seconds such as 1h, 90m or 1h30m",
    ),
    (
        ASSUMED | {"maxStsTtl": 3600},
        ".maxStsTtl: 3600 is not a duration; write hours, minutes and seconds such as 1h, 90m or 1h30m",
    ),
    (
        USER | {"userPath": "teams"},
        ".userPath: 'teams' is not an IAM path; begin and end it with a slash, such as /vault/",
    ),
    (
        USER | {"groups": ["a b"]},
        ".groups[0]: 'a b' is not the name of an IAM group; letters, digits and +=,.@_- only",
    ),
    (
        USER | {"tags": {"aws:x": "1"}},
        ".tags.aws:x: 'aws:x' cannot be a tag's key; 1 to 128 characters, no aws:",
    ),
    (USER | {"policy": 5}, ".policy: 5 must be text"),
    (
        USER | {"probes": {"allowed": [{"call": "GetObject"}]}},
        ".probes.allowed[0].call: 'GetObject' is not an API call; write s3:GetObject, say",
    ),
    (USER | {"engine": "awz"}, ".engine: 'awz' is not an engine; did you mean 'aws'?"),
]


@pytest.mark.parametrize(("role", "message"), ROLE_FAULTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_role_fault_says_what_would_be_right(role: dict[str, Any], message: str) -> None:
    assert role_fault(**role) == message


@pytest.mark.parametrize("name", ["../x", "a/b", "", "x" * 200, "-a", "a.", "a b", "näme"])
def test_a_name_that_vault_refuses_is_a_fault(name: str) -> None:
    [fault] = faults_of({name: USER})
    assert fault.endswith(
        f"{name!r} cannot be a role's name; write 1 to 64 letters, digits, _, -, . or @ that begin and end with "
        "a letter, a digit or _ (it is a path segment in Vault and a policy's name in IAM)"
    )


ENGINE_FAULTS: list[tuple[Any, str]] = [
    (
        {"aws": {"defaultLeaseTtl": "2h", "maxLeaseTtl": "1h"}},
        "engines.aws.defaultLeaseTtl: 2h0m0s is over maxLeaseTtl (1h0m0s); lower it, or raise maxLeaseTtl",
    ),
    ({"aws": {"pth": "x"}}, "engines.aws.pth: is not a setting; did you mean 'path'?"),
    (
        {"aws": {"vaultUser": {"keyGen": 2}}},
        "engines.aws.vaultUser.keyGen: is not a setting; did you mean 'keyGeneration'?",
    ),
    (
        {"aws": {"path": "sys/x"}},
        "engines.aws.path: 'sys/x' cannot be a mount path; write words joined by single slashes, such as aws or "
        "teams/data, outside sys/, auth/, identity/, cubbyhole/ and secret/",
    ),
    (
        {"aws": {"path": "a/../b"}},
        "engines.aws.path: 'a/../b' leaves its place with a dot segment; write the path in full",
    ),
    (
        {"one": {"path": "aws"}, "two": {"path": "aws/data"}},
        "engines.two.path: 'aws/data' collides with 'aws' of engine one; Vault nests no mounts",
    ),
    (
        {"aws": {"iamEndpoint": "localhost:4566"}},
        "engines.aws.iamEndpoint: 'localhost:4566' is not a URL; write https://host, with the port if it has one",
    ),
    (
        {"aws": {"region": "Oregon"}},
        "engines.aws.region: 'Oregon' is not a region's name; write it as AWS does, such as us-west-2",
    ),
    (
        {"AWS": {}},
        "engines.AWS: 'AWS' must be 1 to 31 lower-case letters, digits and hyphens, and begin with a letter",
    ),
    ([], "engines: [] must be a mapping of settings"),
]


@pytest.mark.parametrize(
    ("engines", "message"), ENGINE_FAULTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_engine_fault_says_what_would_be_right(engines: Any, message: str) -> None:
    assert faults_of(engines=engines) == [f"Pulumi.dev.yaml: {message}"]


def test_a_session_needs_an_engine_whose_leases_are_long_enough() -> None:
    engines = {"aws": {"defaultLeaseTtl": "5m", "maxLeaseTtl": "10m"}}
    assert faults_of({"deploy": ASSUMED}, engines) == [
        "Pulumi.dev.yaml: roles.deploy: AWS makes sessions of at least 15m0s and maxLeaseTtl of its engine is 10m0s; "
        "raise that, or move the role to another engine"
    ]


def test_with_two_engines_a_role_names_its_own() -> None:
    assert faults_of({"r": USER}, {"fast": {}, "slow": {}}) == [
        "Pulumi.dev.yaml: roles.r.engine: is missing; name one of: fast, slow"
    ]


def test_vault_must_not_manage_its_own_user() -> None:
    engines = {"aws": {"vaultUser": {"name": "vault-root", "path": "/"}}}
    assert faults_of({"r": USER}, engines) == [
        "Pulumi.dev.yaml: engines.aws.vaultUser: the IAM user '/vault-root' matches '/vault-*', the users that Vault "
        "makes for role r, so Vault could edit itself; give it another name or path"
    ]


def test_unknown_top_level_keys_name_the_nearest() -> None:
    config = {"aws:region": "us-west-2", "vault-aws:role": {}}
    with pytest.raises(FaultsError) as caught:
        from_values(config, "dev", "Pulumi.dev.yaml")
    assert str(caught.value) == "Pulumi.dev.yaml: role: is not a setting; did you mean 'roles'?"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"access": {"file": {"jwt": {"tokenTTL": "1h"}}}}, "access.file.jwt.tokenTTL: .* did you mean 'tokenTtl'"),
        (
            {"roles": {"file": USER | {"probes": {"alowed": []}}}},
            "roles.file.probes.alowed: .* did you mean 'allowed'",
        ),
        (
            {"roles": {"jwt": USER | {"probes": {"allowed": [{"cal": "x"}]}}}},
            r"roles.jwt.probes.allowed\[0\].cal: .* did you mean 'call'",
        ),
    ],
)
def test_unknown_keys_deep_inside_name_the_nearest_whatever_the_names_above(settings: Any, message: str) -> None:
    config = {"aws:region": "us-west-2"} | {f"vault-aws:{key}": value for key, value in settings.items()}
    with pytest.raises(FaultsError, match=message):
        from_values(config, "dev", "Pulumi.dev.yaml")


def test_the_region_is_needed() -> None:
    with pytest.raises(FaultsError) as caught:
        from_values({}, "dev", "Pulumi.dev.yaml")
    assert str(caught.value) == "Pulumi.dev.yaml: aws:region: is missing; name the region, such as us-west-2"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("roles", {}, "roles: names no namespace, and Pulumi takes no such key; write vault-aws:roles"),
        (
            "vault-asw:roles",
            {},
            "vault-asw:roles: is of the namespace 'vault-asw', which nothing here reads; did you mean vault-aws:roles?",
        ),
        ("aw:region", "x", "aw:region: is of the namespace 'aw', which nothing here reads; did you mean aws:region?"),
        ("", {}, "config: the key '' names no setting; remove it"),
        (
            "vault:address",
            "vault.example.com:8200",
            "vault:address: 'vault.example.com:8200' is not a URL; write https://host, with the port if it has one",
        ),
        ("vault:address", 8200, "vault:address: 8200 is not a URL; write https://host, with the port if it has one"),
    ],
)
def test_a_key_that_nobody_reads_is_a_fault(key: str, value: Any, message: str) -> None:
    with pytest.raises(FaultsError) as caught:
        from_values({"aws:region": "us-west-2", key: value}, "dev", "Pulumi.dev.yaml")
    assert str(caught.value) == f"Pulumi.dev.yaml: {message}"


@pytest.mark.parametrize(
    "config",
    [
        {"vault:address": {"secure": "v1:abc"}, "vault:token": {"secure": "v1:def"}},
        {"pulumi:tags": {"team": "x"}, "aws:profile": "dev", "datadog:site": "eu"},
    ],
)
def test_the_keys_of_others_are_left_to_them(config: dict[str, Any]) -> None:
    assert from_values({"aws:region": "us-west-2", **config}, "dev", "Pulumi.dev.yaml")


def test_all_faults_are_said_at_once() -> None:
    faults = faults_of({"a": {"credentialType": "x"}, "b": USER | {"polcy": ""}}, {"aws": {"pth": "x"}})
    assert [fault.split(": ")[1] for fault in faults] == ["engines.aws.pth", "roles.a", "roles.b.polcy"]
