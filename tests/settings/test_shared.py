"""What stacks share: merged, filled and faulted with the file to mend."""

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml

from documents.stack import read_stack
from settings.arns import PARTITIONS
from settings.faults import FaultsError
from settings.files import config_of
from settings.load import decode_config, from_values, read_config
from settings.place import home_of, partition_of
from settings.shared import with_shared
from tools.paths import PROJECT

OWN = {
    "aws:region": "us-west-2",
    "aws:allowedAccountIds": ["111122223333"],
    "vault-aws:shared": "shared-settings.yaml",
}
READER = {"credentialType": "iam_user", "policy": "report-reader.json", "tags": {"team": "reporting", "cost": "42"}}
DEPLOY = {"credentialType": "assumed_role", "roleArns": ["arn:${partition}:iam::${account}:role/deploy"]}
SHARED = {"roles": {"reader": READER, "deploy": DEPLOY}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    share(tmp_path, **SHARED)
    return tmp_path


def share(folder: Path, **settings: Any) -> None:
    config = {f"vault-aws:{key}": value for key, value in settings.items()}
    (folder / "shared-settings.yaml").write_text(yaml.safe_dump({"config": config}))


def merged(folder: Path, own: dict[str, Any] | None = None, stack: str = "dev", **settings: Any) -> Any:
    config = OWN | (own or {}) | {f"vault-aws:{key}": value for key, value in settings.items()}
    return with_shared(config, stack, f"Pulumi.{stack}.yaml", folder)


def faults_of(folder: Path, own: dict[str, Any] | None = None, **settings: Any) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        from_values(merged(folder, own, **settings), "dev", "Pulumi.dev.yaml")
    return str(caught.value).splitlines()


# --- merging ---


def test_mappings_merge_by_key_and_everything_else_replaces(folder: Path) -> None:
    roles = merged(folder, roles={"reader": {"policyArns": [], "tags": {"team": "audit"}}})["vault-aws:roles"]
    assert roles["reader"] == READER | {"policyArns": [], "tags": {"team": "audit", "cost": "42"}}
    arns = ["arn:aws:iam::111122223333:role/other"]
    roles = merged(folder, roles={"deploy": {"roleArns": arns}})["vault-aws:roles"]
    assert roles["deploy"]["roleArns"] == arns


@pytest.mark.parametrize(
    ("own", "left"),
    [
        ({"reader": None}, {"deploy"}),
        ({"reader": None, "deploy": None}, set()),
        ({"reader": {"tags": None}}, {"reader", "deploy"}),
    ],
)
def test_null_takes_an_entry_away(folder: Path, own: Any, left: set[str]) -> None:
    roles = merged(folder, roles=own)["vault-aws:roles"]
    assert set(roles) == left
    assert "tags" not in roles.get("reader", {})


def test_null_that_takes_nothing_away_is_a_fault(folder: Path) -> None:
    assert faults_of(folder, roles={"raeder": None}) == [
        "Pulumi.dev.yaml: roles.raeder: null takes nothing away: shared-settings.yaml has no such entry; "
        "did you mean 'reader'?"
    ]
    assert faults_of(folder, roles=None) == [
        "Pulumi.dev.yaml: roles: is empty, which Pulumi refuses; remove it, or set entries of it to null"
    ]


def test_the_defaults_that_pulumi_adds_change_nothing_of_what_is_shared(tmp_path: Path) -> None:
    share(tmp_path, **SHARED, engines={"short": {}}, audit={"devices": {}})
    declared = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
    from_pulumi = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in ({key: entry["default"] for key, entry in declared.items()} | OWN).items()
    }
    through_pulumi = with_shared(decode_config(from_pulumi), "dev", "Pulumi.dev.yaml", tmp_path)
    from_file = merged(tmp_path)
    where = "Pulumi.dev.yaml"
    assert from_values(through_pulumi, "dev", where) == from_values(from_file, "dev", where)
    assert list(from_values(from_file, "dev", where).engines) == ["short"]


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_the_program_reads_what_the_tools_read(stack: str) -> None:
    path = PROJECT / f"Pulumi.{stack}.yaml"
    own = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config_of(path).items()}
    assert read_stack(decode_config(own), stack).settings == read_stack(read_config(path), stack).settings


def test_a_stack_that_names_no_file_shares_nothing(folder: Path) -> None:
    assert "vault-aws:roles" not in merged(folder, {"vault-aws:shared": ""})
    assert not config_of(PROJECT / "Pulumi.local.yaml").get("vault-aws:shared")


# --- placeholders ---


@pytest.mark.parametrize(
    ("region", "arn"),
    [
        ("us-west-2", "arn:aws:iam::111122223333:role/deploy"),
        ("us-gov-east-1", "arn:aws-us-gov:iam::111122223333:role/deploy"),
        ("cn-north-1", "arn:aws-cn:iam::111122223333:role/deploy"),
    ],
)
def test_placeholders_are_filled_by_the_stack(folder: Path, region: str, arn: str) -> None:
    place = {"aws:region": region}
    assert merged(folder, place)["vault-aws:roles"]["deploy"]["roleArns"] == [arn]
    tags = {"r": READER | {"tags": {"where": "${environment} ${region}"}}}
    assert merged(folder, place, roles=tags)["vault-aws:roles"]["r"]["tags"] == {"where": f"dev {region}"}
    named = merged(folder, place, roles=tags, environment="qa")["vault-aws:roles"]["r"]["tags"]
    assert named == {"where": f"qa {region}"}


def test_regions_are_of_the_partitions_that_the_aws_sdk_knows() -> None:
    sdk = botocore.session.get_session()
    endpoints = sdk.get_component("endpoint_resolver")
    seen = set()
    for partition in sdk.get_available_partitions():
        for region in sdk.get_available_regions("sts", partition) or sdk.get_available_regions("ec2", partition):
            assert (region, partition_of(region)) == (region, partition)
            iam = endpoints.construct_endpoint("iam", region) or {}
            assert home_of(region) == iam.get("credentialScope", {"region": home_of(region)})["region"]
            seen.add(partition)
    assert seen == set(PARTITIONS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arn:aws:iam::${acount}:role/x", "'${acount}' is not a placeholder; did you mean '${account}'?"),
        ("arn:aws:iam::${account:role/x", "'${account:role/x' is not closed; write '}' after the name"),
    ],
)
def test_an_unknown_placeholder_names_its_file_and_field(folder: Path, text: str, message: str) -> None:
    assert faults_of(folder, roles={"deploy": {"roleArns": [text]}}) == [
        f"Pulumi.dev.yaml: roles.deploy.roleArns[0]: {message}"
    ]
    share(folder, roles={"deploy": DEPLOY | {"roleArns": [text]}})
    assert faults_of(folder) == [f"shared-settings.yaml (for Pulumi.dev.yaml): roles.deploy.roleArns[0]: {message}"]


def test_a_placeholder_in_a_key_is_a_fault(folder: Path) -> None:
    faults = faults_of(folder, roles={"${environment}-reader": READER})
    assert faults[0].startswith("Pulumi.dev.yaml: roles.${environment}-reader: holds '${' in a key")


@pytest.mark.parametrize("accounts", [[], ["111122223333", "222233334444"]])
def test_the_account_is_filled_in_if_there_is_one(folder: Path, accounts: list[str]) -> None:
    [fault] = faults_of(folder, {"aws:allowedAccountIds": accounts})
    assert fault == (
        "shared-settings.yaml (for Pulumi.dev.yaml): roles.deploy.roleArns[0]: '${account}' stands for the one account "
        "that aws:allowedAccountIds names; name it there, and no other"
    )


# --- whose fault ---


@pytest.mark.parametrize(
    ("own", "where"),
    [
        ({}, "shared-settings.yaml (for Pulumi.dev.yaml)"),
        ({"other": READER}, "shared-settings.yaml (for Pulumi.dev.yaml)"),
        ({"bad": {"tags": {}}}, "shared-settings.yaml (for Pulumi.dev.yaml)"),
        ({"bad": {"polcy": "y.json"}}, "Pulumi.dev.yaml"),
    ],
)
def test_a_fault_names_the_file_that_it_stands_in(tmp_path: Path, own: Any, where: str) -> None:
    share(tmp_path, roles={"bad": READER | {"polcy": "x.json"}})
    assert faults_of(tmp_path, roles=own) == [f"{where}: roles.bad.polcy: is not a setting; did you mean 'policy'?"]


def test_what_both_files_make_wrong_together_names_both(folder: Path) -> None:
    share(folder, engines={"aws": {"defaultLeaseTtl": "2h"}})
    [fault] = faults_of(folder, engines={"aws": {"maxLeaseTtl": "1h"}})
    assert fault.startswith("shared-settings.yaml (for Pulumi.dev.yaml): engines.aws.defaultLeaseTtl: 2h0m0s is over")
    share(folder, roles={"reader": {"credentialType": "iam_user"}})
    [fault] = faults_of(folder, roles={"reader": {"tags": {"a": "b"}}})
    assert fault.startswith(
        "Pulumi.dev.yaml over shared-settings.yaml: roles.reader: a role of credentialType iam_user"
    )


def test_names_with_dots_are_told_apart(tmp_path: Path) -> None:
    share(tmp_path, roles={"team.reader": READER | {"polcy": "x"}, "team": READER})
    assert faults_of(tmp_path, roles={"team": {"tags": {}}})[0].startswith(
        "shared-settings.yaml (for Pulumi.dev.yaml): roles.team.reader.polcy"
    )


def test_faults_of_documents_name_the_shared_file_too(folder: Path) -> None:
    exempted = {"findings": ["pass-role"], "reason": "none is found", "expires": "2036-01-01"}
    share(folder, roles={"reader": READER | {"exemptions": [exempted]}})
    with pytest.raises(FaultsError, match=r"^shared-settings\.yaml \(for Pulumi\.dev\.yaml\): roles\.reader\.exempt"):
        read_stack(merged(folder), "dev")


# --- the file itself ---


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.yaml", "there is no file 'nowhere.yaml' beside Pulumi.yaml"),
        ("../x.yaml", "'../x.yaml' is not the name of a shared file; name one beside Pulumi.yaml, such as"),
        ("Pulumi.prod.yaml", "'Pulumi.prod.yaml' is not the name of a shared file"),
        (["a.yaml"], "['a.yaml'] is not the name of a shared file"),
    ],
)
def test_a_file_that_cannot_be_shared_is_named(folder: Path, name: Any, message: str) -> None:
    with pytest.raises(FaultsError) as caught:
        merged(folder, {"vault-aws:shared": name})
    assert str(caught.value).startswith(f"Pulumi.dev.yaml: shared: {message}")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("aws:region: us-west-2", "aws:region: goes in each stack's own file; only vault-aws:… can be shared"),
        ("vault-aws:protect: true", "vault-aws:protect: goes in each stack's own file: what is not protected"),
        ("vault-aws:environment: x", "vault-aws:environment: goes in each stack's own file: it is what tells"),
        ("vault-aws:roles:", "vault-aws:roles: is empty; give it a value, or remove it"),
        ("vault-aws:roles: {a: 1, a: 2}", "line 2, column 27: is not YAML: the key 'a' stands there twice"),
    ],
)
def test_what_has_no_place_in_the_shared_file_is_a_fault_of_it(tmp_path: Path, config: str, message: str) -> None:
    (tmp_path / "shared-settings.yaml").write_text(f"config:\n  {config}\n")
    with pytest.raises(FaultsError) as caught:
        merged(tmp_path)
    assert str(caught.value).startswith(f"shared-settings.yaml: {message}")


# --- the pin of the account ---


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        (None, "aws:allowedAccountIds: is missing; name the stack's account"),
        ([], "aws:allowedAccountIds: is missing; name the stack's account"),
        ("111122223333", "aws:allowedAccountIds: '111122223333' must be a list of accounts"),
        ([111122223333], "aws:allowedAccountIds[0]: 111122223333 is not an account; write its 12 digits in quotes"),
        (["1111"], "aws:allowedAccountIds[0]: '1111' is not an account"),
    ],
)
def test_outside_local_the_account_is_pinned(accounts: Any, message: str) -> None:
    config = {"aws:region": "us-west-2", "aws:allowedAccountIds": accounts}
    with pytest.raises(FaultsError) as caught:
        read_stack(config, "dev")
    assert str(caught.value).startswith(f"Pulumi.dev.yaml: {message}")
    if not accounts:
        read_stack(config, "local")
        read_stack(config | {"vault-aws:environment": "local"}, "mine")
