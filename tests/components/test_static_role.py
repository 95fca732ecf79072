"""Static roles: what Vault is told, and what a change does."""

from components.static_role import StaticRole, StaticRoleArgs
from tests.components.conftest import Recorder

ARGS: StaticRoleArgs = {
    "mount": "aws",
    "role_name": "legacy",
    "user_name": "legacy-batch",
    "rotation_period": 86400,
}


def test_it_is_sent_whole_and_replaced_when_its_period_changes(recorder: Recorder) -> None:
    assert recorder.run(lambda: StaticRole("legacy", ARGS).creds_path) == "aws/static-creds/legacy"
    role = recorder.of("vault:aws/secretBackendStaticRole:SecretBackendStaticRole")["legacy-static-role"]
    assert role.inputs == {
        "backend": "aws",
        "name": "legacy",
        "username": "legacy-batch",
        "rotationPeriod": 86400,
    }
    assert (role.replace_on_changes, role.delete_before_replace) == ({"rotationPeriod"}, True)
