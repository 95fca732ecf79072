"""The permissions boundary: which one an engine's users carry, and what a document of one must hold."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from documents.boundary import Boundary, never
from documents.limits import MANAGED_POLICY_LIMIT, size_of
from documents.stack import POLICY_FOLDER, StackDocuments, read_stack
from settings.faults import FaultsError

PINNED = {"aws:region": "us-west-2", "aws:allowedAccountIds": ["123456789012"]}
PLACE = {"partition": "aws", "account": "123456789012"}
OWN = "arn:aws:iam::123456789012:policy/vault/leased-users-dev-aws"
ELSEWHERE = "arn:aws:iam::123456789012:policy/landing-zone/boundary"
USER = {"credentialType": "iam_user", "policy": "report-reader.json"}
ASSUMED = {"credentialType": "assumed_role", "roleArns": ["arn:aws:iam::123456789012:role/deploy"]}


def read(roles: dict[str, Any], folder: Path = POLICY_FOLDER, **engine: Any) -> StackDocuments:
    config = PINNED | {"vault-aws:roles": roles, "vault-aws:engines": {"aws": engine}}
    return read_stack(config, "dev", folder=folder)


def fault(folder: Path = POLICY_FOLDER, **engine: Any) -> str:
    with pytest.raises(FaultsError) as caught:
        read({"r": USER}, folder, **engine)
    return str(caught.value)


def test_by_default_the_stack_makes_one_for_every_role_with_users() -> None:
    documents = read({"r": USER, "s": USER, "deploy": ASSUMED})
    boundary = documents.boundary("aws", **PLACE)
    assert boundary is not None
    assert (boundary.arn, boundary.name) == (OWN, "leased-users-dev-aws")
    assert documents.boundary_arns("aws", **PLACE) == {"r": OWN, "s": OWN}


def test_one_that_exists_is_named_and_not_made() -> None:
    documents = read({"r": USER}, permissionsBoundary=ELSEWHERE)
    assert documents.boundary("aws", **PLACE) == Boundary(ELSEWHERE)
    assert documents.boundary_arns("aws", **PLACE) == {"r": ELSEWHERE}


def test_a_role_may_have_one_of_its_own_and_vault_may_use_both() -> None:
    documents = read({"r": USER | {"permissionsBoundary": ELSEWHERE}, "s": USER})
    assert documents.boundary_arns("aws", **PLACE) == {"r": ELSEWHERE, "s": OWN}
    statements = json.loads(documents.vault_user("aws", **PLACE).documents["manage-users"])["Statement"]
    [condition] = [statement["Condition"] for statement in statements if "Condition" in statement]
    assert condition == {"StringEquals": {"iam:PermissionsBoundary": sorted([ELSEWHERE, OWN])}}


@pytest.mark.parametrize("roles", [{}, {"deploy": ASSUMED}, {"r": USER | {"permissionsBoundary": ELSEWHERE}}], ids=str)
def test_without_a_role_that_takes_it_none_is_made(roles: dict[str, Any]) -> None:
    assert read(roles).boundary("aws", **PLACE) is None


def test_every_engine_has_its_own() -> None:
    config = PINNED | {
        "vault-aws:engines": {"aws": {}, "slow": {"vaultUser": {"path": "/slow/"}}},
        "vault-aws:roles": {"r": USER | {"engine": "aws"}, "s": USER | {"engine": "slow"}},
    }
    documents = read_stack(config, "dev")
    arns = [documents.boundary_arns(engine, **PLACE) for engine in ("aws", "slow")]
    assert arns == [{"r": OWN}, {"s": "arn:aws:iam::123456789012:policy/slow/leased-users-dev-slow"}]


def test_the_documents_placeholders_are_filled(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    write(folder, {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:${partition}:s3:::${environment}-*"})
    boundary = read({"r": USER}, folder, permissionsBoundary="boundaries/own.json").boundary("aws", **PLACE)
    assert boundary is not None
    assert "arn:aws:s3:::dev-*" in str(boundary.document)


def test_the_one_of_this_project_fits_into_a_managed_policy() -> None:
    text = (POLICY_FOLDER / "boundaries" / "leased-user.json").read_text()
    assert size_of(text) < MANAGED_POLICY_LIMIT / 2


def test_what_must_never_pass_is_all_of_identities_and_organisation_that_changes_something() -> None:
    actions = set(never())
    assert actions >= {
        "iam:CreateUser",
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:CreateVirtualMFADevice",
        "iam:EnableMFADevice",
        "iam:CreatePolicyVersion",
        "iam:DeleteUserPermissionsBoundary",
        "iam:PutUserPermissionsBoundary",
        "iam:AddUserToGroup",
        "iam:CreateRole",
        "iam:AttachRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateAccountPasswordPolicy",
        "organizations:LeaveOrganization",
        "account:CloseAccount",
        "sts:AssumeRole",
    }
    assert not actions & {"iam:GetUser", "iam:ListUsers", "iam:PassRole"}


def write(folder: Path, *statements: dict[str, Any]) -> None:
    shutil.copytree(POLICY_FOLDER, folder)
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    (folder / "boundaries" / "own.json").write_text(json.dumps(document))


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENIED = {"Effect": "Deny", "Action": ["iam:*", "organizations:*", "account:*", "sts:*"], "Resource": "*"}


@pytest.mark.parametrize(
    "statements",
    [
        [EVERYTHING, DENIED],
        [{"Effect": "Allow", "Action": ["s3:*", "iam:Get*", "iam:PassRole"], "Resource": "*"}],
        [{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*", "sts:*"], "Resource": "*"}],
    ],
)
def test_a_document_of_ones_own_may_deny_or_not_allow(tmp_path: Path, statements: list[dict[str, Any]]) -> None:
    write(tmp_path / "policies", *statements)
    assert read({"r": USER}, tmp_path / "policies", permissionsBoundary="boundaries/own.json")


@pytest.mark.parametrize(
    ("statements", "through"),
    [
        ([EVERYTHING], "iam:"),
        (
            [EVERYTHING, DENIED | {"Action": ["iam:*", "organizations:*", "account:*"]}],
            "sts:AssumeRole, sts:AssumeRoot",
        ),
        ([EVERYTHING, DENIED | {"Condition": {"Bool": {"aws:ViaAWSService": "false"}}}], "iam:"),
        ([EVERYTHING, DENIED | {"Resource": "arn:aws:iam::123456789012:user/*"}], "iam:"),
        ([{"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "*"}], "iam:CreateAccessKey,"),
    ],
)
def test_a_document_that_lets_too_much_through_is_refused(
    tmp_path: Path, statements: list[dict[str, Any]], through: str
) -> None:
    write(tmp_path / "policies", *statements)
    message = fault(tmp_path / "policies", permissionsBoundary="boundaries/own.json")
    assert message.startswith(
        f"policies/boundaries/own.json (engine aws): as a permissions boundary it lets through {through}"
    )
    assert message.endswith("deny them for every resource, without condition, or do not allow them")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "boundaries/leased-users.json",
            "policies/boundaries/leased-users.json (engine aws): there is no such file; did you mean "
            "'boundaries/leased-user.json'?",
        ),
        (
            "../x.json",
            "policies/../x.json (engine aws): '../x.json' leads out of policies/; name a file inside it, "
            "such as reader.json",
        ),
    ],
)
def test_a_document_that_is_not_there_is_a_fault(value: str, message: str) -> None:
    assert fault(permissionsBoundary=value) == message


@pytest.mark.parametrize("value", ["arn:aws:iam::123456789012:role/x", "leased-user", ""])
def test_what_is_neither_arn_nor_document_is_a_fault(value: str) -> None:
    message = fault(permissionsBoundary=value)
    assert message.startswith("Pulumi.dev.yaml: engines.aws.permissionsBoundary: ")
    assert message.endswith("or name a document in policies/ that ends in .json")
