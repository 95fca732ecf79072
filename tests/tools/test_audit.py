"""Audit logs read: requests found, leases followed to their end, and what is no entry told apart."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from settings.audit import Audit
from settings.load import from_values
from settings.model import Settings
from settings.usernames import traceable_prefix
from tools.audit import device_and_log
from tools.audit_log import Log, Request
from tools.errors import ToolError

LEASE = "aws/creds/reader/R7mfYpQpWnXz0oF4tZkLq1Vs"


def entry(path: str, at: int = 10, *, operation: str = "update", who: str = "operator", **parts: Any) -> dict[str, Any]:
    """A response in a log, `at` seconds into its minute."""
    return {
        "time": f"2026-05-04T12:00:{at:02}.123456789Z",
        "type": "response",
        "auth": {
            "client_token": f"hmac-sha256:token-{who}",
            "accessor": f"hmac-sha256:accessor-{who}",
            "display_name": who,
        },
        "request": {
            "id": "85d7f914-9813-ed7d-aa78-58d4f6cb694f",
            "operation": operation,
            "path": path,
            "remote_address": "10.1.2.3",
            "client_token": f"hmac-sha256:token-{who}",
            "data": parts.pop("data", None),
        },
        "response": {"mount_type": "system"},
        **parts,
    }


def issued(at: int = 5, *, who: str = "approle", path: str = "aws/creds/reader", lease: str = LEASE) -> dict[str, Any]:
    found = entry(path, at, operation="read", who=who)
    found["auth"] |= {"entity_id": "203ef56d", "metadata": {"role_name": "ci"}}
    found["response"] = {
        "secret": {"lease_id": lease},
        "data": {"access_key": "hmac-sha256:key", "secret_key": "hmac-sha256:s"},
    }
    return found


def log(folder: Path, *entries: dict[str, Any] | str, name: str = "audit.log") -> Log:
    lines = [one if isinstance(one, str) else json.dumps(one, separators=(",", ":")) for one in entries]
    (folder / name).write_text("".join(f"{line}\n" for line in lines))
    return Log.of(folder / name)


def of_reader(read: Log) -> list[Request]:
    return list(read.requests(["aws"], ['/reader"']))


def followed(read: Log, hashes: dict[str, str] | None = None) -> Request:
    [request] = of_reader(read)
    read.follow([request], hashes or {})
    return request


def test_a_request_says_who_asked_when_and_from_where(tmp_path: Path) -> None:
    [request] = of_reader(log(tmp_path, issued()))
    assert (request.mount, request.role, request.lease, request.key_hash) == ("aws", "reader", LEASE, "hmac-sha256:key")
    assert (request.display_name, request.entity, request.metadata) == ("approle", "203ef56d", {"role_name": "ci"})
    assert (request.time, request.address, request.refused) == ("2026-05-04T12:00:05.123456789Z", "10.1.2.3", "")


def test_a_refused_request_says_why(tmp_path: Path) -> None:
    denied = entry("aws/creds/reader", operation="read") | {
        "auth": {},
        "error": "1 error occurred:\n\t* permission denied\n\n",
    }
    failed = entry("aws/creds/reader", operation="read") | {"response": {"data": {"error": "hmac-sha256:x"}}}
    assert [request.refused for request in of_reader(log(tmp_path, denied, failed))] == [
        "1 error occurred: * permission denied",
        "an error of the engine, hashed in the log",
    ]


@pytest.mark.parametrize(
    "other",
    [
        issued() | {"type": "request"},
        issued(path="aws/roles/reader"),
        issued(path="aws-other/creds/reader"),
        issued(path="aws/creds/reader/x"),
        entry("aws/creds/reader", operation="help"),
    ],
    ids=["the request's own entry", "the role itself", "another mount", "a longer path", "help"],
)
def test_other_entries_are_no_requests(tmp_path: Path, other: dict[str, Any]) -> None:
    assert [r for r in of_reader(log(tmp_path, other)) if r.role == "reader"] == []


def test_the_login_before_it_is_found_by_its_token(tmp_path: Path) -> None:
    login = entry("auth/approle/login", 1, who="approle")
    login["response"] = {"auth": {"accessor": "hmac-sha256:accessor-approle"}}
    stranger = entry("auth/jwt/login", 2, who="jwt")
    stranger["response"] = {"auth": {"accessor": "hmac-sha256:accessor-jwt"}}
    assert followed(log(tmp_path, login, stranger, issued())).login == "auth/approle/login"


ENDINGS = {
    "the lease, in the body": entry("sys/leases/revoke", data={"lease_id": "hmac-sha256:lease"}),
    "the lease, in the path": entry(f"sys/leases/revoke/{LEASE}"),
    "the lease, by the older path": entry(f"sys/revoke/{LEASE}"),
    "the role's leases": entry("sys/leases/revoke-prefix/aws/creds/reader"),
    "the mount's leases, by force": entry("sys/leases/revoke-force/aws"),
    "its own token": entry("auth/token/revoke-self", who="approle"),
    "the token": entry("auth/token/revoke", data={"token": "hmac-sha256:token-approle"}),
    "the token's accessor": entry("auth/token/revoke-accessor", data={"accessor": "hmac-sha256:accessor-approle"}),
    "the mount": entry("sys/mounts/aws", operation="delete"),
}
NO_ENDINGS = {
    "another lease, in the body": entry("sys/leases/revoke", data={"lease_id": "hmac-sha256:other"}),
    "another lease, in the path": entry(f"sys/leases/revoke/{LEASE}x"),
    "a role of a longer name": entry("sys/leases/revoke-prefix/aws/creds/reader2"),
    "a role of a shorter name": entry("sys/leases/revoke-prefix/aws/creds/read"),
    "another's token": entry("auth/token/revoke-self", who="somebody"),
    "before it was": entry("sys/leases/revoke-prefix/aws", 4),
    "refused": entry("sys/leases/revoke-prefix/aws", error="permission denied"),
    "failed": entry("sys/leases/revoke-prefix/aws") | {"response": {"data": {"error": "hmac-sha256:x"}}},
    "the mount tuned": entry("sys/mounts/aws/tune"),
    "another mount": entry("sys/mounts/aws2", operation="delete"),
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_what_ended_a_lease_is_found(tmp_path: Path, end: dict[str, Any]) -> None:
    ending = followed(log(tmp_path, issued(), end), {"hmac-sha256:lease": LEASE}).ending
    assert ending is not None
    assert ending.time == "2026-05-04T12:00:10.123456789Z"
    assert (ending.by, ending.address) == (end["auth"]["display_name"], "10.1.2.3")
    assert ending.how.endswith(end["request"]["path"])


@pytest.mark.parametrize("end", NO_ENDINGS.values(), ids=NO_ENDINGS)
def test_what_did_not_end_it_is_left_out(tmp_path: Path, end: dict[str, Any]) -> None:
    assert followed(log(tmp_path, end, issued(), end), {"hmac-sha256:lease": LEASE}).ending is None


def test_the_first_ending_counts(tmp_path: Path) -> None:
    first, second = entry("sys/mounts/aws", 20, operation="delete"), entry(f"sys/leases/revoke/{LEASE}", 10)
    ending = followed(log(tmp_path, issued(), second, first)).ending
    assert ending is not None
    assert ending.how == f"update sys/leases/revoke/{LEASE}"


def test_what_is_no_entry_is_counted_and_skipped(tmp_path: Path) -> None:
    whole = json.dumps(issued())
    broken = [
        whole[: len(whole) // 2],
        "not an entry",
        '{"path": "/reader"} }',
        '["/reader"}',
        '{"time": "yesterday", "path": "/reader"}',
        '{"time": "2026-05-04T12:00:00", "path": "/reader"}',
        "",
    ]
    read = log(tmp_path, *broken, issued(), "\x00\x01")
    assert len(of_reader(read)) == 1
    assert read.malformed == 7
    read.follow([], {})
    assert read.malformed == 7


def test_parts_of_a_strange_shape_do_no_harm(tmp_path: Path) -> None:
    strange = issued() | {"auth": None, "response": "text"}
    assert [request.refused for request in of_reader(log(tmp_path, strange))] == ["no credential in the answer"]


def test_what_collectors_put_in_front_is_passed_over(tmp_path: Path) -> None:
    line = f"May  4 12:00:05 vault-1 vault[812]: @cee: {json.dumps(issued())}"
    read = log(tmp_path, line)
    assert len(of_reader(read)) == 1
    assert read.malformed == 0


def test_rotated_files_are_read_too_oldest_first(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "audit.log.2.gz", "wt") as oldest:
        oldest.write(json.dumps(issued(1, lease="aws/creds/reader/1")) + "\n")
    log(tmp_path, issued(2, lease="aws/creds/reader/2"), name="audit.log.1")
    read = log(tmp_path, issued(3, lease="aws/creds/reader/3"))
    log(tmp_path, issued(4, lease="aws/creds/reader/4"), name="audit.logbook")
    for age, name in ((200, "audit.log.2.gz"), (100, "audit.log.1")):
        os.utime(tmp_path / name, (1_700_000_000 - age, 1_700_000_000 - age))
    read = Log.of(tmp_path / "audit.log")
    assert [request.lease[-1] for request in of_reader(read)] == ["1", "2", "3"]


def settings_with(devices: dict[str, Any]) -> Settings:
    config = {"aws:region": "us-west-2", "vault-aws:audit": {"devices": devices}}
    return from_values(config, "local", "Pulumi.local.yaml")


def test_the_first_file_device_is_read_unless_another_is_named(tmp_path: Path) -> None:
    devices = {
        "out": {"type": "syslog"},
        "one": {"type": "file", "filePath": "1.log"},
        "two": {"type": "file", "filePath": "2.log"},
    }
    for name in ("1.log", "2.log", "copy.log"):
        (tmp_path / name).touch()
    settings = settings_with(devices)
    assert isinstance(settings.audit, Audit)
    copy = tmp_path / "copy.log"
    choices = [(None, None, "one", "1.log"), (None, "two", "two", "2.log"), (copy, "out", "out", "copy.log")]
    for file, device, chosen, name in choices:
        found, read = device_and_log(settings, tmp_path, file, device)
        assert (found, read.files) == (chosen, [tmp_path / name])


@pytest.mark.parametrize(
    ("devices", "device", "message"),
    [
        ({"out": {"type": "syslog"}}, None, "the settings name no audit device of type file; name a log with FILE="),
        ({"out": {"type": "syslog"}}, "out", "the audit device 'out' of the settings writes no file; name a copy"),
        ({"one": {"type": "file", "filePath": "/nowhere/1.log"}}, None, "there is no audit log /nowhere/1.log on this"),
    ],
)
def test_without_a_log_it_says_how_to_name_one(
    tmp_path: Path, devices: dict[str, Any], device: str | None, message: str
) -> None:
    with pytest.raises(ToolError, match=message):
        device_and_log(settings_with(devices), tmp_path, None, device)


@pytest.mark.parametrize(
    ("role", "caller", "prefix"),
    [
        ("reader", "approle", "vault-reader-approle-"),
        ("reader", "github-octo-org/repo:ref:refs/heads/main", "vault-reader-github-octo-org_repo-"),
        # As the engine made it: 18 characters, and 8 of the hash of the rest.
        ("a-role-with-a-name-of-many-words", "root", "vault-a-role-with-a-name14923ff6-root-"),
    ],
)
def test_names_begin_as_vault_makes_them(role: str, caller: str, prefix: str) -> None:
    assert traceable_prefix(role, caller) == prefix
    assert len(prefix) + 10 <= 64
