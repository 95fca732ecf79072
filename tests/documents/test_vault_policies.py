"""Vault policies: what their text says of each kind of role, and that no name becomes a pattern."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.pulumi_policy import preview_policy, proof_policy, pulumi_policy
from documents.vault_policies import Rule, engine_policies, literal, policy_text
from settings.load import from_values
from settings.model import Settings
from tools.__main__ import main

DEPLOY = "arn:aws:iam::123456789012:role/deploy"
OTHER = "arn:aws:iam::123456789012:role/other"
MFA = "arn:aws:iam::123456789012:mfa/vault"
KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0=\n-----END PUBLIC KEY-----"
NOTHING: dict[str, Any] = {"denied_parameters": {"*": []}}
ROLES: dict[str, dict[str, Any]] = {
    "user": {"credentialType": "iam_user", "policy": "r.json"},
    "one": {"credentialType": "assumed_role", "roleArns": [DEPLOY], "defaultStsTtl": "1h", "maxStsTtl": "1h"},
    "many": {"credentialType": "assumed_role", "roleArns": [DEPLOY, OTHER], "defaultStsTtl": "15m", "maxStsTtl": "1h"},
    "federated": {"credentialType": "federation_token", "policy": "r.json", "defaultStsTtl": "15m", "maxStsTtl": "1h"},
    "fixed": {"credentialType": "federation_token", "policy": "r.json", "defaultStsTtl": "1h", "maxStsTtl": "1h"},
    "session": {"credentialType": "session_token"},
    "mfa": {"credentialType": "session_token", "mfaSerialNumber": MFA},
}
LIMITS: dict[str, dict[str, Any]] = {
    "one": {"allowed_parameters": {"role_arn": [DEPLOY]}},
    "many": {"allowed_parameters": {"role_arn": [DEPLOY, OTHER], "ttl": []}},
    "federated": {"allowed_parameters": {"ttl": []}},
    "fixed": NOTHING,
    "session": NOTHING,
    "mfa": {"allowed_parameters": {"mfa_code": []}},
}


def settings_of(roles: dict[str, Any] | None = None, **others: Any) -> Settings:
    config = {"aws:region": "us-west-2", "vault-aws:roles": ROLES if roles is None else roles}
    return from_values(config | {f"vault-aws:{key}": value for key, value in others.items()}, "dev", "Pulumi.dev.yaml")


def rules_of(text: str) -> dict[str, Any]:
    rules: dict[str, Any] = json.loads(text)["path"]
    return rules


def test_an_iam_user_is_read_without_parameters_and_never_as_a_session() -> None:
    policies = engine_policies(settings_of(), "aws")
    assert rules_of(policies["aws-user"]) == {"aws/creds/user": {"capabilities": ["read"], **NOTHING}}


@pytest.mark.parametrize("role", LIMITS)
def test_a_session_is_asked_for_in_both_ways_within_what_the_role_offers(role: str) -> None:
    rule = {"capabilities": ["read", "update"], **LIMITS[role]}
    policies = engine_policies(settings_of(), "aws")
    assert rules_of(policies[f"aws-{role}"]) == {f"aws/creds/{role}": rule, f"aws/sts/{role}": rule}


def test_a_static_role_is_read_where_its_key_is() -> None:
    static = {"legacy": {"userName": "legacy-batch", "rotationPeriod": "24h"}}
    policies = engine_policies(settings_of(staticRoles=static), "aws")
    assert rules_of(policies["aws-legacy"]) == {"aws/static-creds/legacy": {"capabilities": ["read"], **NOTHING}}


def test_each_mount_has_policies_of_its_own() -> None:
    engines = {"aws": {}, "eu": {"path": "eu/aws"}}
    roles = {"here": ROLES["user"] | {"engine": "aws"}, "there": ROLES["user"] | {"engine": "eu"}}
    settings = settings_of(roles, engines=engines)
    assert set(engine_policies(settings, "aws")) == {"aws-here", "aws-operator"}
    policies = engine_policies(settings, "eu")
    assert set(policies) == {"eu-aws-there", "eu-aws-operator"}
    assert list(rules_of(policies["eu-aws-there"])) == ["eu/aws/creds/there"]


def test_the_proof_of_the_roles_reads_credentials_and_ends_leases_and_a_preview_does_neither() -> None:
    settings = settings_of({}, engines={"aws": {}, "eu": {"path": "eu/aws"}})
    per_mount: dict[str, Any] = {}
    for mount in ("aws", "eu/aws"):
        per_mount[f"{mount}/creds/+"] = {"capabilities": ["read"]}
        per_mount[f"sys/leases/lookup/{mount}/creds/+/"] = {"capabilities": ["list", "sudo"]}
        per_mount[f"sys/leases/lookup/{mount}/sts/+/"] = {"capabilities": ["list", "sudo"]}
    assert rules_of(proof_policy(settings)) == per_mount | {"sys/leases/revoke": {"capabilities": ["update"]}}
    previews = rules_of(preview_policy(settings))
    assert set(previews) & set(rules_of(proof_policy(settings))) == set()
    writes = {path for path, rule in previews.items() if set(rule["capabilities"]) - {"read", "list", "sudo"}}
    # The provider works with a child of the token.
    assert writes == {"auth/token/create"}


@pytest.mark.parametrize(("rotation", "rotates"), [("stack", False), ("vault", True)])
def test_the_operator_rotates_the_key_only_where_vault_keeps_it(rotation: str, rotates: bool) -> None:
    operator = rules_of(engine_policies(settings_of(engines={"aws": {"rotation": rotation}}), "aws")["aws-operator"])
    assert ("aws/config/rotate-root" in operator) == rotates
    assert all("aws/" in path for path in operator)
    assert {path for path, rule in operator.items() if "sudo" in rule["capabilities"]} == {
        path for path in operator if path.startswith("sys/leases/")
    }


def test_two_rules_for_one_path_are_an_error() -> None:
    with pytest.raises(ValueError, match="two rules for one path"):
        policy_text([Rule("aws/creds/x", ["read"]), Rule("aws/creds/x", ["update"])])


@pytest.mark.parametrize("name", ["a*", "+", "a/+/b", '"', "a b", "{{identity.entity.id}}", "", "ä"])
def test_a_name_never_becomes_a_pattern_or_syntax(name: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a Vault policy"):
        literal(name)


@given(st.text(string.ascii_letters + string.digits + "_.@-", min_size=1))
def test_every_name_that_settings_take_stands_for_itself(name: str) -> None:
    assert literal(f"aws/creds/{name}") == f"aws/creds/{name}"
    assert list(rules_of(policy_text([Rule(f"aws/creds/{name}", ["read"])]))) == [f"aws/creds/{name}"]


def test_pulumi_asks_for_nothing_that_the_settings_do_not_need() -> None:
    plain = rules_of(pulumi_policy(settings_of()))
    assert list(plain) == [
        "auth/token/create",
        "auth/token/lookup-self",
        "sys/mounts/aws",
        "sys/mounts/aws/tune",
        "aws/config/root",
        "aws/config/lease",
        "aws/roles/+",
        "aws/roles/",
        "sys/policies/acl/aws-*",
    ]
    assert not any("sudo" in rule["capabilities"] for rule in plain.values())

    approle = settings_of(authMethods={"apps": {"type": "approle"}})
    assert set(rules_of(pulumi_policy(approle))) - set(plain) == {
        "sys/auth/apps",
        "sys/mounts/auth/apps",
        "sys/mounts/auth/apps/tune",
        "auth/apps/role/+",
        "auth/apps/role/",
        "auth/apps/role/+/role-id",
    }


def test_on_an_auth_method_of_others_pulumi_has_its_own_role_alone() -> None:
    job = {"boundAudiences": ["vault"], "boundSubject": "repo:example/orders:environment:prod"}
    bound = settings_of(access={"job": {"roles": ["user"], "jwt": {"mount": "ci", **job}}})
    added = {
        path: rule for path, rule in rules_of(pulumi_policy(bound)).items() if "auth/" in path and "token" not in path
    }
    assert added == {"auth/ci/role/job": {"capabilities": ["create", "delete", "read", "update"]}}


def test_the_command_prints_the_policy_of_a_stack_as_its_file_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pulumi-policy", "--stack", "prod"]) == 0
    assert "auth/github-actions/role/+" in rules_of(capsys.readouterr().out)
    assert main(["pulumi-policy", "--stack", "nowhere"]) == 1
    assert capsys.readouterr().err.startswith("STACK=nowhere: there is no Pulumi.nowhere.yaml; the stacks are dev, ")
