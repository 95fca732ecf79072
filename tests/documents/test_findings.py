"""Findings in role documents, and what exemptions make of them."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cloudsplaining.shared.constants import PRIVILEGE_ESCALATION_METHODS, READ_ONLY_DATA_EXFILTRATION_ACTIONS

from documents.escalation import READS_OF_DATA
from documents.findings import findings, managed_policy_finding
from documents.stack import POLICY_FOLDER, StackDocuments, read_stack
from settings.exemptions import KINDS, Exemption
from settings.faults import FaultsError
from settings.load import decode_config

TODAY = date(2026, 11, 23)
TABLE = "arn:${partition}:dynamodb:${region}:${account}:table/orders"


def allow(action: Any, resource: Any = "*", **others: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **others}


def kinds(*statements: dict[str, Any]) -> set[str]:
    return {finding.kind for finding in findings({"Version": "2012-10-17", "Statement": list(statements)})}


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:Get*", "s3:GetObjec?", "S3:gET*"])
def test_a_wildcard_in_an_action_is_found(action: str) -> None:
    assert "wildcard-action" in kinds(allow(action, "arn:aws:s3:::reports/*"))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:GetItem", "*"),
        ("dynamodb:GetItem", [TABLE, "arn:aws:dynamodb:*:*:*"]),
        ("dynamodb:GetItem", "arn:${partition}:dynamodb:${region}:${account}:table/*"),
        ("s3:PutObject", "arn:aws:s3:::*"),
        ("s3:PutObject", "arn:aws:s3:::*/*"),
        ("lambda:InvokeFunction", "arn:aws:lambda:us-west-2:123456789012:function:*"),
    ],
)
def test_every_resource_of_a_kind_is_found(action: str, resource: Any) -> None:
    assert "wildcard-resource" in kinds(allow(action, resource))


@pytest.mark.parametrize(
    "statement",
    [
        allow("s3:GetObject", "arn:aws:s3:::reports/*"),
        allow("s3:GetObject", "arn:aws:s3:::reports/${aws:username}/*"),
        allow("dynamodb:GetItem", [TABLE, f"{TABLE}/index/*"]),
        # AWS takes no ARN for these.
        allow(["ec2:DescribeInstances", "s3:ListAllMyBuckets"]),
        allow("ec2:StopInstances", Condition={"StringEquals": {"aws:ResourceTag/team": "data"}}),
        {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::reports"},
        allow("iam:PassRole", "arn:aws:iam::*:role/x", Condition={"StringEquals": {"iam:PassedToService": "ec2.x"}}),
    ],
    ids=str,
)
def test_what_is_bounded_is_not_found(statement: dict[str, Any]) -> None:
    assert kinds(statement) == set()


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotEquals": {"aws:ResourceTag/team": "data"}},
        {"StringEqualsIfExists": {"aws:ResourceTag/team": "data"}},
        {"StringEquals": {"aws:RequestTag/team": "data"}},
    ],
    ids=str,
)
def test_a_condition_that_bounds_no_resource_excuses_nothing(condition: dict[str, Any]) -> None:
    assert kinds(allow("ec2:StopInstances", Condition=condition)) == {"wildcard-resource"}


def test_not_action_and_not_resource_are_found_where_they_allow() -> None:
    assert "not-action" in kinds({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
    assert "wildcard-resource" in kinds(
        {"Effect": "Allow", "Action": "s3:PutObject", "NotResource": "arn:aws:s3:::payroll/*"}
    )


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"StringLike": {"iam:PassedToService": "*"}},
        {"StringNotEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
        {"StringEqualsIfExists": {"iam:PassedToService": "ec2.amazonaws.com"}},
        {"StringEquals": {"iam:AssociatedResourceArn": "arn:aws:ec2:us-east-1:123456789012:instance/*"}},
    ],
    ids=str,
)
def test_passing_a_role_to_any_service_is_found(condition: dict[str, Any] | None) -> None:
    extra = {"Condition": condition} if condition else {}
    assert kinds(allow("iam:PassRole", "arn:aws:iam::123456789012:role/x", **extra)) == {"pass-role"}


@pytest.mark.parametrize("method", sorted(PRIVILEGE_ESCALATION_METHODS))
def test_every_escalation_that_cloudsplaining_lists_is_found(method: str) -> None:
    assert "privilege-escalation" in kinds(allow(PRIVILEGE_ESCALATION_METHODS[method]))


def test_rights_of_identities_are_an_escalation_on_a_named_resource_too() -> None:
    assert kinds(allow("iam:PutUserPolicy", "arn:aws:iam::123456789012:user/ada")) == {"privilege-escalation"}
    bounded = {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/b"}}
    assert kinds(allow("iam:PutUserPolicy", "arn:aws:iam::123456789012:user/x-*", Condition=bounded)) == set()


def test_code_of_one_named_function_is_no_escalation() -> None:
    assert kinds(allow("lambda:UpdateFunctionCode", "arn:aws:lambda:us-west-2:123456789012:function:orders")) == set()


def test_reads_of_data_cover_those_that_cloudsplaining_lists() -> None:
    assert set(READ_ONLY_DATA_EXFILTRATION_ACTIONS) <= set(READS_OF_DATA)
    for action in READS_OF_DATA:
        assert "data-exposure" in kinds(allow(action)), action


@pytest.mark.parametrize("action", ["s3:PutBucketPolicy", "kms:CreateGrant", "lambda:AddPermission"])
def test_letting_others_in_is_found_on_a_named_resource_too(action: str) -> None:
    service = action.split(":", maxsplit=1)[0]
    assert kinds(allow(action, f"arn:aws:{service}:::x")) == {"data-exposure"}


def test_a_denial_everywhere_takes_findings_away_and_another_does_not() -> None:
    everything = allow("secretsmanager:GetSecretValue")
    assert kinds(everything, {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*"}) == set()
    narrow = {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": "arn:aws:secretsmanager:*:*:secret:x"}
    assert kinds(everything, narrow) == {"wildcard-resource", "data-exposure"}
    only_then = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    assert kinds(everything, only_then) == {"wildcard-resource", "data-exposure"}


def test_every_kind_is_made_and_every_finding_says_a_way_out() -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [allow("*"), {"Effect": "Allow", "NotAction": "iam:Get*", "Resource": "*"}],
    }
    found = findings(document)
    assert {finding.kind for finding in found} == set(KINDS)
    assert all(";" in finding.message and finding.place.startswith("Statement[") for finding in found)


@pytest.mark.parametrize("name", ["AdministratorAccess", "job-function/SystemAdministrator", "AmazonS3FullAccess"])
def test_managed_policies_for_administrators_are_found(name: str) -> None:
    assert managed_policy_finding(f"arn:aws:iam::aws:policy/{name}", "x") is not None
    assert managed_policy_finding("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "x") is None


# --- exemptions ---


EXEMPTION = {
    "findings": ["wildcard-action", "wildcard-resource", "data-exposure"],
    "reason": "as an example",
    "expires": date(2026, 11, 23),
}


def read(tmp_path: Path, *exemptions: Any, **role: Any) -> StackDocuments:
    folder = tmp_path / "policies"
    shutil.copytree(POLICY_FOLDER, folder, dirs_exist_ok=True)
    (folder / "wide.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": allow("s3:*")}))
    wide = {"credentialType": "iam_user", "policy": "wide.json", "exemptions": list(exemptions), **role}
    config = {"aws:region": "us-west-2", "aws:allowedAccountIds": ["123456789012"], "vault-aws:roles": {"wide": wide}}
    return read_stack(config, "dev", folder=folder, today=TODAY)


def faults(tmp_path: Path, *exemptions: Any, **role: Any) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        read(tmp_path, *exemptions, **role)
    return str(caught.value).splitlines()


def test_findings_stop_the_stack_with_file_statement_and_a_way_out(tmp_path: Path) -> None:
    found = faults(tmp_path)
    assert [fault.split(": ")[:3] for fault in found] == [
        ["policies/wide.json (role wide)", "Statement.Action", "wildcard-action"],
        ["policies/wide.json (role wide)", "Statement.Resource", "wildcard-resource"],
        ["policies/wide.json (role wide)", "Statement.Resource", "data-exposure"],
    ]
    assert all(fault.endswith("; or exempt the role") for fault in found)


def test_findings_are_said_together_with_the_faults_of_other_documents(tmp_path: Path) -> None:
    place = {"aws:region": "us-west-2", "aws:allowedAccountIds": ["123456789012"]}
    roles = {
        "expired": {"credentialType": "iam_user", "policy": "wide.json", "exemptions": [EXEMPTION]},
        "missing": {"credentialType": "iam_user", "policy": "nothing.json", "exemptions": [EXEMPTION]},
    }
    engines = {"aws": {"permissionsBoundary": "wild.json"}}
    read(tmp_path, EXEMPTION)
    with pytest.raises(FaultsError) as caught:
        read_stack(
            place | {"vault-aws:roles": roles, "vault-aws:engines": engines},
            "dev",
            folder=tmp_path / "policies",
            today=TODAY + timedelta(days=1),
        )
    assert str(caught.value).splitlines() == [
        "policies/nothing.json (role missing): there is no such file in policies/",
        "Pulumi.dev.yaml: roles.expired.exemptions[0].expires: 2026-11-23 has passed; mend the policy, or decide anew "
        "and write a later day",
        "policies/wild.json (engine aws): there is no such file; did you mean 'wide.json'?",
    ]


def test_an_exemption_lets_them_pass_and_is_told(tmp_path: Path) -> None:
    assert read(tmp_path, EXEMPTION).warnings == (
        "role wide is exempted from wildcard-action, wildcard-resource, data-exposure until 2026-11-23: as an example",
    )


def test_an_exemption_is_refused_from_the_day_after_its_last(tmp_path: Path) -> None:
    assert faults(tmp_path, EXEMPTION | {"expires": "2026-11-22"}) == [
        "Pulumi.dev.yaml: roles.wide.exemptions[0].expires: 2026-11-22 has passed; mend the policy, or decide anew "
        "and write a later day"
    ]


def test_an_exemption_from_what_is_not_found_is_a_fault(tmp_path: Path) -> None:
    stray = {"findings": ["pass-role"], "reason": "just in case", "expires": "2027-01-01"}
    assert faults(tmp_path, EXEMPTION, stray) == [
        "Pulumi.dev.yaml: roles.wide.exemptions[1].findings: 'pass-role' is not found in the role's policy; remove it"
    ]


def test_a_kind_is_exempted_once(tmp_path: Path) -> None:
    again = EXEMPTION | {"findings": ["wildcard-action"]}
    assert faults(tmp_path, EXEMPTION, again) == [
        "Pulumi.dev.yaml: roles.wide.exemptions[1].findings: 'wildcard-action' is exempted twice; once is enough"
    ]


def test_a_kind_that_is_not_exempted_still_stops(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, EXEMPTION | {"findings": ["wildcard-action", "wildcard-resource"]})
    assert "data-exposure: " in fault


def test_a_managed_policy_is_held_against_the_same_exemptions(tmp_path: Path) -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    [fault] = faults(tmp_path, policy=None, policyArns=[arn])
    assert fault.startswith("Pulumi.dev.yaml: roles.wide.policyArns[0]: wildcard-action: ")
    exemption = EXEMPTION | {"findings": ["wildcard-action"]}
    assert read(tmp_path, exemption, policy=None, policyArns=[arn]).warnings


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            {"findings": ["wildcard-actoin"]},
            ".findings[0]: 'wildcard-actoin' is not known here; did you mean 'wildcard-action'?",
        ),
        ({"findings": []}, ".findings: is empty; name at least 1"),
        (
            {"findings": ["pass-role", "pass-role"]},
            ".findings: 'pass-role' stands there 2 times; once is enough",
        ),
        ({"reason": " "}, ".reason: ' ' gives no reason; write one line that does"),
        (
            {"expires": "31.3.2027"},
            ".expires: '31.3.2027' is not a day; write it as year, month and day such as 2027-03-31",
        ),
        (
            {"expires": 20270331},
            ".expires: 20270331 is not a day; write it as year, month and day such as 2027-03-31",
        ),
        ({"expiry": "x"}, ".expiry: is not a setting; did you mean 'expires'?"),
    ],
    ids=str,
)
def test_faults_of_exemptions_say_what_would_be_right(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    assert faults(tmp_path, EXEMPTION | change) == [f"Pulumi.dev.yaml: roles.wide.exemptions[0]{fault}"]


@pytest.mark.parametrize(
    ("missing", "write"),
    [
        ("findings", "the kinds of finding that it is about"),
        ("reason", "why the role needs it"),
        ("expires", "the last day on which it holds"),
    ],
)
def test_an_exemption_needs_each_of_its_parts(tmp_path: Path, missing: str, write: str) -> None:
    part = {key: value for key, value in EXEMPTION.items() if key != missing}
    assert faults(tmp_path, part) == [f"Pulumi.dev.yaml: roles.wide.exemptions[0].{missing}: is missing; write {write}"]


def test_a_day_reads_the_same_from_yaml_and_from_pulumi() -> None:
    from_yaml = yaml.safe_load("expires: 2027-03-31")["expires"]
    from_pulumi = decode_config({"x": '{"expires": "2027-03-31 00:00:00 +0000 UTC"}'})["x"]["expires"]
    parsed = [_expires(value) for value in (from_yaml, from_pulumi, "2027-03-31")]
    assert parsed == [date(2027, 3, 31)] * 3


def _expires(value: Any) -> date:
    return Exemption.model_validate({"findings": ["pass-role"], "reason": "as an example", "expires": value}).expires


@pytest.mark.parametrize("path", sorted(POLICY_FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_the_documents_of_this_project_are_clean_but_for_the_example(path: Path) -> None:
    found = {finding.kind for finding in findings(json.loads(path.read_text()))}
    expected = {"wildcard-action", "wildcard-resource", "data-exposure"} if path.name == "my-role.json" else set()
    assert found == expected
