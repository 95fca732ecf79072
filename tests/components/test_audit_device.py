"""An audit device: what it makes, and what it refuses to."""

import pulumi
import pytest

from components.audit_device import AuditDevice, AuditDeviceArgs
from tests.components.conftest import Recorder

ARGS: AuditDeviceArgs = {
    "path": "to-file",
    "type": "file",
    "options": {"file_path": "/var/log/vault/audit.log", "mode": "0600"},
    "description": "for tests",
}


def test_the_device_is_made_as_it_is_said(recorder: Recorder) -> None:
    assert recorder.run(lambda: AuditDevice("to-file", ARGS).path) == "to-file"
    device = recorder.of("vault:index/audit:Audit")["to-file-device"]
    assert device.inputs == {
        "path": "to-file",
        "type": "file",
        "options": {"file_path": "/var/log/vault/audit.log", "mode": "0600"},
        "description": "for tests",
    }
    assert device.parent == "to-file"


def test_a_path_is_freed_before_it_is_taken_again(recorder: Recorder) -> None:
    recorder.run(lambda: AuditDevice("to-file", ARGS).path)
    assert recorder.of("vault:index/audit:Audit")["to-file-device"].delete_before_replace


def test_secrets_in_clear_text_are_refused(recorder: Recorder) -> None:
    raw: AuditDeviceArgs = {**ARGS, "options": {"file_path": "/x", "log_raw": "true"}}
    with pytest.raises(ValueError, match="AuditDevice to-file: log_raw would write secrets in clear text"):
        recorder.run(lambda: pulumi.Output.from_input(AuditDevice("to-file", raw).path))
