"""The permissions boundary as a managed policy."""

from components.permissions_boundary import PermissionsBoundary, PermissionsBoundaryArgs
from tests.components.conftest import Recorder

ARGS: PermissionsBoundaryArgs = {
    "policy_name": "leased-users-test-aws",
    "path": "/vault/",
    "document": '{"Version":"2012-10-17"}',
    "tags": {"team": "platform"},
}


def test_it_makes_a_policy_of_its_own(recorder: Recorder) -> None:
    arn = recorder.run(lambda: PermissionsBoundary("aws", ARGS).policy_arn)
    [policy] = recorder.of("aws:iam/policy:Policy").values()
    assert policy.inputs == {
        "name": "leased-users-test-aws",
        "path": "/vault/",
        "description": "What no credential from Vault may do, whatever its role allows",
        "policy": '{"Version":"2012-10-17"}',
        "tags": {"team": "platform"},
    }
    assert arn == "arn:aws:iam::123456789012:aws-policy"
    assert policy.parent == "aws"
    assert "aws" in recorder.of("vault-aws:iam:PermissionsBoundary")
