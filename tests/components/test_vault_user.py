"""Vault's IAM user: what it makes, in which order, and what of it is secret."""

import pulumi

from components.vault_user import VaultUser, VaultUserArgs
from tests.components.conftest import Recorder

ARGS: VaultUserArgs = {
    "user_name": "secrets-engine-test-aws",
    "user_path": "/vault/",
    "key_generation": 3,
    "policies": {"manage-users": '{"Version":"2012-10-17"}'},
    "managed_policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    "region": "us-west-2",
    "tags": {"team": "platform"},
}


def test_it_makes_a_user_its_policies_and_a_key(recorder: Recorder) -> None:
    recorder.run(lambda: VaultUser("aws", ARGS).access_key)
    assert recorder.of("aws:iam/user:User")["aws-user"].inputs == {
        "name": "secrets-engine-test-aws",
        "path": "/vault/",
        "tags": {"team": "platform"},
    }
    assert recorder.of("aws:iam/policy:Policy")["aws-manage-users"].inputs == {
        "name": "secrets-engine-test-aws-manage-users",
        "path": "/vault/",
        "policy": '{"Version":"2012-10-17"}',
        "tags": {"team": "platform"},
    }
    attached = recorder.of("aws:iam/userPolicyAttachment:UserPolicyAttachment")
    assert {attachment.inputs["policyArn"] for attachment in attached.values()} == {
        "arn:aws:iam::123456789012:aws-manage-users",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
    }


def test_the_key_is_named_for_its_generation_and_waits_for_the_policies(recorder: Recorder) -> None:
    recorder.run(lambda: VaultUser("aws", ARGS).access_key)
    key = recorder.of("aws:iam/accessKey:AccessKey")["aws-key-3"]
    assert key.dependencies >= {"aws-manage-users", "aws-arn:aws:iam::aws:policy/ReadOnlyAccess", "aws-user"}


def test_the_key_is_secret_in_state_and_as_an_output(recorder: Recorder) -> None:
    async def secrecy() -> tuple[bool, bool]:
        user = VaultUser("aws", ARGS)
        assert user.access_key
        assert user.secret_key
        return await user.access_key.is_secret(), await user.secret_key.is_secret()

    assert recorder.run(lambda: pulumi.Output.from_input(secrecy())) == (True, True)
    assert recorder.of("aws:iam/accessKey:AccessKey")["aws-key-3"].secret_outputs == {"secret", "sesSmtpPasswordV4"}


def test_protection_holds_the_user_and_lets_keys_go(recorder: Recorder) -> None:
    recorder.run(lambda: VaultUser("aws", {**ARGS, "protect": True}).access_key)
    assert {resource.name for resource in recorder.resources if resource.protect} == {"aws-user"}


def test_its_children_are_its_own(recorder: Recorder) -> None:
    recorder.run(lambda: VaultUser("aws", ARGS).access_key)
    assert "aws" in recorder.of("vault-aws:iam:VaultUser")
    parents = {resource.name: resource.parent for resource in recorder.resources if resource.type.startswith("aws:")}
    assert set(parents.values()) == {"aws", "aws-manage-users"}
