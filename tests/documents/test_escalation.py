"""Known ways to more rights, tried against a leased credential and against Vault's own user.

The ways are those that cloudsplaining lists (of Rhino Security Labs and pathfinding.cloud) and the project's own;
`documents.evaluation` decides each request as AWS would.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from cloudsplaining.shared.constants import PRIVILEGE_ESCALATION_METHODS

from documents.boundary import never
from documents.escalation import OWN_RIGHTS, PASS_ROLE, RIGHTS_OF_OTHERS
from documents.evaluation import Decision, Request, evaluate
from documents.stack import StackDocuments, read_stack
from settings.load import read_config
from tools.paths import PROJECT

ACCOUNT = "123456789012"
PLACE = {"partition": "aws", "account": ACCOUNT}
IAM = f"arn:aws:iam::{ACCOUNT}:"
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}

WAYS: dict[str, tuple[str, ...]] = {
    **{name: tuple(actions) for name, actions in PRIVILEGE_ESCALATION_METHODS.items()},
    **{action: (action,) for action in OWN_RIGHTS},
    **{" with ".join(actions): actions for actions in RIGHTS_OF_OTHERS},
    PASS_ROLE: (PASS_ROLE,),
}
OTHERS = (
    "*",
    f"{IAM}user/ada",
    f"{IAM}user/vault/secrets-engine-local-aws",
    f"{IAM}group/administrators",
    f"{IAM}role/administrator",
    f"{IAM}policy/team",
    f"{IAM}policy/vault/leased-users-local-aws",
    "arn:aws:iam::aws:policy/AdministratorAccess",
    f"arn:aws:lambda:us-west-2:{ACCOUNT}:function:payroll",
)
"""What such a way may be tried on: things that are none of Vault's."""
STACKS = sorted(PROJECT.glob("Pulumi.*.yaml"))


@pytest.fixture(scope="module")
def boundary() -> Any:
    documents = read_stack(read_config(PROJECT / "Pulumi.local.yaml"), "local")
    found = documents.boundary("aws", **PLACE)
    assert found is not None
    assert found.document is not None
    return json.loads(found.document)


def possible(actions: Iterable[str], **policies: Any) -> bool:
    """Whether each of the actions is allowed on something."""
    return all(
        any(evaluate(Request(action, resource), **policies) is Decision.ALLOWED for resource in OTHERS)
        for action in actions
    )


# --- a leased credential with the worst role policy ---


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_leased_credential_has_no_way_to_more_rights(way: str, boundary: Any) -> None:
    assert possible(WAYS[way], identity=[EVERYTHING]), "without the boundary it has"
    assert not possible(WAYS[way], identity=[EVERYTHING], boundary=boundary)


def test_a_leased_credential_does_nothing_that_outlives_it(boundary: Any) -> None:
    let_through = [action for action in never() if possible([action], identity=[EVERYTHING], boundary=boundary)]
    assert let_through == []


def test_a_leased_credential_does_what_its_role_is_for(boundary: Any) -> None:
    ordinary = ["s3:GetObject", "s3:PutObject", "dynamodb:PutItem", "sqs:SendMessage", "ec2:DescribeInstances"]
    assert possible([*ordinary, "sts:GetCallerIdentity", "kms:Decrypt"], identity=[EVERYTHING], boundary=boundary)


# --- Vault's own user ---


@pytest.fixture(scope="module", params=STACKS, ids=lambda path: path.name)
def stack(request: pytest.FixtureRequest) -> StackDocuments:
    path = request.param
    return read_stack(read_config(path), path.name.removeprefix("Pulumi.").removesuffix(".yaml"))


def rights(stack: StackDocuments) -> list[Any]:
    [engine] = stack.settings.engines
    return [json.loads(document) for document in stack.vault_user(engine, **PLACE).documents.values()]


def leased_users(stack: StackDocuments) -> Iterator[str]:
    for role in stack.settings.roles.values():
        if role.credential_type == "iam_user":
            yield f"{IAM}user{role.user_path}vault-token-role-1700000000-abcdefghij"


@pytest.mark.parametrize("way", sorted(WAYS))
def test_vaults_user_has_no_way_to_more_rights(way: str, stack: StackDocuments) -> None:
    assert not possible(WAYS[way], identity=rights(stack))


BOUNDED = ("iam:CreateUser", "iam:PutUserPolicy", "iam:AttachUserPolicy")


@pytest.mark.parametrize("action", BOUNDED)
@pytest.mark.parametrize("carried", [None, "arn:aws:iam::aws:policy/AdministratorAccess", f"{IAM}policy/other"])
def test_vaults_user_gives_no_right_without_the_boundary(
    action: str, carried: str | None, stack: StackDocuments
) -> None:
    context = {"iam:PermissionsBoundary": carried} if carried else {}
    for user in leased_users(stack):
        assert evaluate(Request(action, user, context), identity=rights(stack)) is Decision.NOT_ALLOWED


def test_vaults_user_makes_and_ends_users_with_the_boundary(stack: StackDocuments) -> None:
    [engine] = stack.settings.engines
    [arn] = set(stack.boundary_arns(engine, **PLACE).values())
    for user in leased_users(stack):
        for action in ("iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey", "iam:DeleteUserPolicy"):
            request = Request(action, user, {"iam:PermissionsBoundary": arn})
            assert evaluate(request, identity=rights(stack)) is Decision.ALLOWED


def test_vaults_user_ends_leases_from_before_there_was_a_boundary(stack: StackDocuments) -> None:
    for user in leased_users(stack):
        for action in ("iam:DeleteAccessKey", "iam:DeleteUserPolicy", "iam:DetachUserPolicy", "iam:DeleteUser"):
            assert evaluate(Request(action, user), identity=rights(stack)) is Decision.ALLOWED


def test_vaults_user_neither_moves_nor_rewrites_the_boundary(stack: StackDocuments) -> None:
    [engine] = stack.settings.engines
    [arn] = set(stack.boundary_arns(engine, **PLACE).values())
    on_users = ("iam:PutUserPermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:CreateLoginProfile")
    requests = [Request(action, user) for action in on_users for user in leased_users(stack)]
    on_policy = (
        "iam:CreatePolicyVersion",
        "iam:SetDefaultPolicyVersion",
        "iam:DeletePolicy",
        "iam:DeletePolicyVersion",
    )
    requests += [Request(action, arn) for action in on_policy]
    assert {evaluate(request, identity=rights(stack)) for request in requests} == {Decision.NOT_ALLOWED}


def test_whatever_vaults_user_gives_to_a_user_stays_within_the_boundary(stack: StackDocuments) -> None:
    # The widest that it can put on a user is what the worst role would have; the tests above try that.
    [engine] = stack.settings.engines
    boundary = stack.boundary(engine, **PLACE)
    assert boundary is not None
    assert boundary.document is not None
    bounds = json.loads(boundary.document)
    assert not any(possible(actions, identity=[EVERYTHING], boundary=bounds) for actions in WAYS.values())
