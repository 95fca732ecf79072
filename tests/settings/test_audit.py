"""Audit devices and the alarm in the settings: what they come to, and every fault as the person reads it."""

from typing import Any

import pytest

from settings.audit import Audit, require_devices
from settings.faults import FaultsError
from settings.load import from_values
from settings.usernames import TRACEABLE, username_prefix, username_template_fault

FILE = {"type": "file", "filePath": "/var/log/vault/audit.log"}
SYSLOG = {"type": "syslog"}
SOCKET = {"type": "socket", "address": "collector.example.com:9090"}


def audit_of(devices: Any, environment: str = "dev") -> Audit:
    config = {"aws:region": "us-west-2", "vault-aws:audit": {"devices": devices}}
    return from_values(config, environment, f"Pulumi.{environment}.yaml").audit


def faults_of(devices: Any, environment: str = "dev") -> list[str]:
    with pytest.raises(FaultsError) as caught:
        audit_of(devices, environment)
    return [line.removeprefix(f"Pulumi.{environment}.yaml: ") for line in str(caught.value).splitlines()]


def test_options_reach_vault_by_its_own_names() -> None:
    devices = {
        "file": FILE | {"mode": "0640", "elideListResponses": True},
        "syslog": SYSLOG | {"facility": "LOCAL0"},
        "socket": SOCKET | {"writeTimeout": "1m"},
    }
    assert {path: device.options() for path, device in audit_of(devices).devices.items()} == {
        "file": {"file_path": "/var/log/vault/audit.log", "mode": "0640", "elide_list_responses": "true"},
        "syslog": {"facility": "LOCAL0", "tag": "vault"},
        "socket": {"address": "collector.example.com:9090", "socket_type": "tcp", "write_timeout": "1m0s"},
    }


DEVICE_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({}, ": has no type; write one of: file, socket, syslog"),
    ({"type": "fil"}, ": type 'fil' is not a type of audit device; did you mean 'file'?"),
    ({"type": "file"}, ".filePath: is missing"),
    (FILE | {"filePth": "x"}, ".filePth: is not a setting; did you mean 'filePath'?"),
    (
        FILE | {"logRaw": True},
        ".logRaw: would write every token and secret key into the log in clear text; remove it: `make audit` finds "
        "what it looks for by Vault's own hashes",
    ),
    (FILE | {"mode": "0777"}, ".mode: '0777' is not a file mode; write octal digits such as '0600'"),
    (FILE | {"mode": 600}, ".mode: 600 must be text"),
    (
        FILE | {"filePath": "discard"},
        ".filePath: 'discard' cannot be an audit log; write the path of a file, or stdout",
    ),
    (
        FILE | {"filePath": "audit.log"},
        ".filePath: 'audit.log' would lie wherever the server was started; write the path in full",
    ),
    (SOCKET | {"address": "collector"}, ".address: 'collector' is not an address; write host:port, or a socket's path"),
    (SOCKET | {"socketType": "tpc"}, ".socketType: 'tpc' is not known here; did you mean 'tcp'?"),
    (SYSLOG | {"facility": "auth"}, ".facility: 'auth' is not a syslog facility; write AUTH or LOCAL0, say"),
    (SYSLOG | {"filePath": "/x"}, ".filePath: is not a setting; it may be one of: "),
]


@pytest.mark.parametrize(
    ("device", "message"), DEVICE_FAULTS, ids=lambda value: value if isinstance(value, str) else ""
)
# A device may well be named after its type.
@pytest.mark.parametrize("path", ["primary", "file"])
def test_a_devices_fault_says_what_would_be_right(path: str, device: dict[str, Any], message: str) -> None:
    [fault] = faults_of({path: device, "second": SOCKET | {"address": "other:1"}})
    assert fault.startswith(f"audit.devices.{path}{message}")


def test_a_path_that_vault_refuses_is_a_fault() -> None:
    [fault] = faults_of({"a b": FILE, "second": SYSLOG})
    assert fault == ("audit.devices.a b: 'a b' cannot be an audit device's path; write letters, digits, _ and - only")


def test_other_keys_beside_devices_name_the_nearest() -> None:
    with pytest.raises(FaultsError, match=r"audit\.device: is not a setting; did you mean 'devices'\?"):
        from_values({"aws:region": "us-west-2", "vault-aws:audit": {"device": {}}}, "dev", "Pulumi.dev.yaml")


def test_one_device_alone_stops_vault_when_it_blocks() -> None:
    assert faults_of({"file": FILE}) == [
        "audit.devices: 'file' is the only one, and Vault answers nobody while its only audit device cannot write; "
        "declare a second on another disk or host (with `managed: false`, if others made it)"
    ]
    assert set(audit_of({"file": FILE}, "local").devices) == {"file"}
    assert set(audit_of({"file": FILE, "syslog": SYSLOG | {"managed": False}}).devices) == {"file", "syslog"}


def test_two_devices_need_two_targets() -> None:
    assert faults_of({"one": FILE, "two": FILE}) == [
        "audit.devices.two: writes to '/var/log/vault/audit.log' like 'one', so that what stops one stops both; "
        "give it another"
    ]


OTHERS = {"file": FILE | {"managed": False, "mode": "0640"}, "syslog": SYSLOG}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            {},
            "Vault has no audit device 'file', and `managed: false` says that its operators make it; on Vault: `vault "
            "audit enable -path=file file file_path=/var/log/vault/audit.log mode=0640`; on OpenBao, in the "
            'server\'s configuration: `audit "file" "file" { options = { file_path = "/var/log/vault/audit.log", '
            'mode = "0640" } }`, then SIGHUP; or remove `managed: false`, and the stack makes it',
        ),
        ({"type": "socket"}, "is of type file here and of type socket in Vault; change one of them"),
        (
            {"type": "file", "options": {"log_raw": "true"}},
            "writes tokens and secret keys in clear text (log_raw); have its operators make it again without",
        ),
    ],
)
def test_a_device_of_others_that_is_not_as_said_is_a_fault(found: dict[str, Any], message: str) -> None:
    with pytest.raises(FaultsError) as caught:
        require_devices(audit_of(OTHERS), {"file/": found} if found else {}, "Pulumi.dev.yaml")
    assert str(caught.value) == f"Pulumi.dev.yaml: audit.devices.file: {message}"


def test_a_device_of_others_that_is_there_is_none() -> None:
    require_devices(audit_of(OTHERS), {"file/": {"type": "file", "options": None}}, "Pulumi.dev.yaml")
    assert audit_of(OTHERS).relies_on_others
    assert not audit_of({"file": FILE, "syslog": SYSLOG}).relies_on_others


ALARM_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"topicNam": "x"}, ".topicNam: is not a setting; did you mean 'topicName'?"),
    ({"topicName": "a b"}, ".topicName: 'a b' is not an SNS topic's name; letters, digits, - and _"),
    ({"topicName": "t", "allowedNetworks": ["10.0.0.300"]}, ".allowedNetworks[0]: '10.0.0.300' is not a network"),
    ({"topicName": "t", "regions": []}, ".regions: is empty; name at least 1"),
    ({"regions": ["us-east-1"]}, ".topicName: is missing, and nothing is watched without; name the SNS topic to make"),
]


@pytest.mark.parametrize(("alarm", "message"), ALARM_FAULTS, ids=lambda value: value if isinstance(value, str) else "")
def test_an_alarms_fault_says_what_would_be_right(alarm: dict[str, Any], message: str) -> None:
    with pytest.raises(FaultsError) as caught:
        from_values({"aws:region": "us-west-2", "vault-aws:alarm": alarm}, "dev", "Pulumi.dev.yaml")
    assert str(caught.value).startswith(f"Pulumi.dev.yaml: alarm{message}")


@pytest.mark.parametrize(
    ("region", "regions"),
    [
        ("us-west-2", ["us-east-1", "us-west-2"]),
        ("us-east-1", ["us-east-1"]),
        ("cn-northwest-1", ["cn-north-1", "cn-northwest-1"]),
    ],
)
def test_the_alarm_stands_where_iams_records_are(region: str, regions: list[str]) -> None:
    settings = from_values({"aws:region": region, "vault-aws:alarm": {"topicName": "t"}}, "dev", "Pulumi.dev.yaml")
    assert settings.alarm.rule_regions(region) == regions


def test_an_iam_users_tags_lead_back_to_its_role() -> None:
    role = {"credentialType": "iam_user", "policy": "r.json", "tags": {"team": "x"}}
    engines = {"data": {"path": "teams/data"}}
    config = {"aws:region": "us-west-2", "vault-aws:roles": {"reader": role}, "vault-aws:engines": engines}
    settings = from_values(config, "dev", "Pulumi.dev.yaml")
    assert settings.roles["reader"].vault_fields()["iam_tags"] == {
        "team": "x",
        "vault-aws/role": "reader",
        "vault-aws/environment": "dev",
        "vault-aws/mount": "teams/data",
    }


@pytest.mark.parametrize(
    ("tags", "fault"),
    [
        (
            {"vault-aws/role": "admin"},
            "roles.r.tags.vault-aws/role: 'vault-aws/role' begins with 'vault-aws/', as the stack's own tags do; "
            "rename it",
        ),
        (
            {f"t{number}": "" for number in range(48)},
            "roles.r.tags: are 48; IAM takes 50 and the stack adds 3, so at most 47 are yours",
        ),
    ],
)
def test_tags_leave_the_stacks_own_alone(tags: dict[str, str], fault: str) -> None:
    role = {"credentialType": "iam_user", "policy": "r.json", "tags": tags}
    with pytest.raises(FaultsError) as caught:
        from_values({"aws:region": "us-west-2", "vault-aws:roles": {"r": role}}, "dev", "Pulumi.dev.yaml")
    assert str(caught.value) == f"Pulumi.dev.yaml: {fault}"


def test_names_carry_role_and_caller_within_awss_limits() -> None:
    assert username_template_fault(TRACEABLE) is None
    assert username_prefix(TRACEABLE) == "vault-"
    settings = from_values({"aws:region": "us-west-2"}, "dev", "Pulumi.dev.yaml")
    assert settings.engines["aws"].username_template == TRACEABLE
