"""Roles: each credential type as Vault takes it."""

import json

import pulumi

from components.roles import RoleArgs, Roles
from tests.components.conftest import Recorder

USER: RoleArgs = {
    "credential_type": "iam_user",
    "policy_document": "{}",
    "policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    "iam_groups": ["engineers"],
    "iam_tags": {"team": "data"},
    "user_path": "/leased/",
    "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/boundary",
}
ASSUMED: RoleArgs = {
    "credential_type": "assumed_role",
    "role_arns": ["arn:aws:iam::123456789012:role/deploy"],
    "default_sts_ttl": 900,
    "max_sts_ttl": 3600,
    "session_tags": {"team": "data"},
    "external_id": "42",
}


def declared(name: str, role: RoleArgs) -> Roles:
    return Roles("aws", {"mount": "aws", "roles": {name: role}})


def test_an_iam_user_role_is_sent_whole(recorder: Recorder) -> None:
    assert recorder.run(lambda: declared("reader", USER).creds_paths["reader"]) == "aws/creds/reader"
    assert recorder.of("vault:aws/secretBackendRole:SecretBackendRole")["reader-role"].inputs == {
        "backend": "aws",
        "name": "reader",
        "credentialType": "iam_user",
        "policyDocument": "{}",
        "policyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "iamGroups": ["engineers"],
        "iamTags": {"team": "data"},
        "userPath": "/leased/",
        "permissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
    }


def test_an_assumed_role_is_sent_whole(recorder: Recorder) -> None:
    recorder.run(lambda: declared("deploy", ASSUMED).creds_paths["deploy"])
    assert recorder.of("vault:aws/secretBackendRole:SecretBackendRole")["deploy-role"].inputs == {
        "backend": "aws",
        "name": "deploy",
        "credentialType": "assumed_role",
        "roleArns": ["arn:aws:iam::123456789012:role/deploy"],
        "defaultStsTtl": 900,
        "maxStsTtl": 3600,
        "sessionTags": {"team": "data"},
        "externalId": "42",
    }


def test_a_replacement_deletes_first_because_both_have_one_name(recorder: Recorder) -> None:
    recorder.run(lambda: declared("deploy", ASSUMED).creds_paths["deploy"])
    assert recorder.of("vault:aws/secretBackendRole:SecretBackendRole")["deploy-role"].delete_before_replace


def test_a_session_token_role_takes_the_way_around_the_provider(recorder: Recorder) -> None:
    serial = "arn:aws:iam::123456789012:mfa/vault"
    args: RoleArgs = {"credential_type": "session_token", "mfa_serial_number": serial}
    recorder.run(lambda: declared("me", args).creds_paths["me"])
    assert recorder.of("vault:aws/secretBackendRole:SecretBackendRole") == {}
    endpoint = recorder.of("vault:generic/endpoint:Endpoint")["me-role"].inputs
    assert endpoint["path"] == "aws/roles/me"
    assert json.loads(endpoint["dataJson"]) == {"credential_type": "session_token", "mfa_serial_number": serial}


def test_a_role_is_still_known_that_was_in_a_component_of_its_own(recorder: Recorder) -> None:
    def program() -> pulumi.Output[str]:
        engine = pulumi.ComponentResource("vault-aws:engine:SecretsEngine", "aws")
        roles = Roles("aws", {"mount": "aws", "roles": {"me": ASSUMED}}, pulumi.ResourceOptions(parent=engine))
        return roles.creds_paths["me"]

    recorder.run(program)
    role = recorder.of("vault:aws/secretBackendRole:SecretBackendRole")["me-role"]
    assert role.former_urns == {
        "urn:pulumi:test::vault-aws::vault-aws:engine:SecretsEngine$vault-aws:role:Role"
        "$vault:aws/secretBackendRole:SecretBackendRole::me-role"
    }
