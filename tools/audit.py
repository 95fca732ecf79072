"""Answers who had which AWS credential: `make audit ROLE=…`, `LEASE=…`, `KEY=…` or `USER=…`.

The audit log says who asked, when, for which role and which lease, and what ended the lease. Access keys are
HMACs there; Vault hashes the one that is asked for (`sys/audit-hash`), and the hash is looked up. The log
names no AWS user: IAM says whose a key is while the user lives, and the user's name says role and caller.
"""

import argparse
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import hvac
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from settings.audit import FileDevice
from settings.model import Settings
from settings.roles import AssumedRole, FederationTokenRole, IamUserRole
from settings.usernames import TRACEABLE, traceable_prefix
from tools.audit_log import Log, Request, readable
from tools.errors import ToolError

QUESTIONS = {
    "role": "the requests for a role's credentials",
    "lease": "the request that a lease id comes from",
    "key": "the request that an access key id comes from",
    "user": "the request that an IAM user, or the ARN of an assumed role's session, comes from",
}
_SKEW = timedelta(minutes=2)
"""How far the clocks of Vault and IAM may be apart."""
_CLIENT = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})


@dataclass
class Answer:
    """A request for a credential with what Vault and AWS say of it now."""

    request: Request
    state: str
    acted_as: str

    def values(self) -> dict[str, Any]:
        """All of it, for `--json`; hashes are left out."""
        request, ending = self.request, self.request.ending
        return {
            "time": request.time,
            "mount": request.mount,
            "role": request.role,
            "displayName": request.display_name,
            "entity": request.entity,
            "metadata": request.metadata,
            "login": request.login,
            "address": request.address,
            "lease": request.lease,
            "refused": request.refused,
            "state": self.state,
            "ended": ending and {"time": ending.time, "by": ending.by, "address": ending.address, "how": ending.how},
            "actedAs": self.acted_as,
        }


@dataclass(frozen=True)
class Auditor:
    """Looks requests up in one device's log.

    Attributes:
        settings: The stack's settings, which name mounts and roles.
        log: The device's log.
        device: The device's path: it hashes with a salt of its own.
        vault: A client that may use `sys/audit-hash/<device>` and `sys/leases/lookup`.
        last: How many requests to answer with, the newest.
        notes: What to tell beside the answers.
    """

    settings: Settings
    log: Log
    device: str
    vault: hvac.Client
    last: int = 100
    notes: list[str] = field(default_factory=list)

    def ask(self, kind: str, value: str) -> list[Answer]:
        """Answers one of `QUESTIONS`.

        Raises:
            ToolError: The log cannot be read, or what must be asked of Vault or AWS is refused.
        """
        wanted, matches, arn = self._wanted(kind, value)
        found: deque[Request] = deque(maxlen=self.last)
        count = 0
        mounts = [self.settings.mount_path(engine) for engine in self.settings.engines]
        try:
            for request in self.log.requests(mounts, wanted):
                if matches(request):
                    found.append(request)
                    count += 1
            leases = [request.lease for request in found if request.lease]
            self.log.follow(found, {self._hash(lease): lease for lease in leases})
        except (OSError, EOFError) as error:
            raise ToolError(f"the audit log cannot be read: {error}; name another with FILE=…") from None
        if count > len(found):
            self.notes.append(f"the newest {len(found)} of {count}; LAST={count} shows all")
        return [Answer(request, self._state(request), arn or self._acted_as(request)) for request in found]

    def _wanted(self, kind: str, value: str) -> tuple[list[str], Callable[[Request], bool], str]:
        """What marks the lines to look at, which requests of these are meant, and the ARN if it is known."""
        if kind == "role":
            return [f'/{value}"'], lambda request: request.role == value, ""
        if kind == "lease":
            return [value], lambda request: request.lease == value, ""
        if kind == "user" and ":assumed-role/" in value:
            arn_hash = self._hash(value)
            return [arn_hash], lambda request: request.arn_hash == arn_hash, value.split(":", 5)[-1]
        keys, name = ([value], "") if kind == "key" else self._keys_of(value)
        hashes = {self._hash(key) for key in keys}
        return list(hashes), lambda request: request.key_hash in hashes, name and f"user/{name}"

    def _keys_of(self, user: str) -> tuple[list[str], str]:
        name = user.rsplit("/", 1)[-1]
        if ":federated-user/" in user:
            raise ToolError(
                f"Vault's log does not name federated users; CloudTrail's GetFederationToken event for {name} holds "
                "the access key: make audit KEY=…"
            )
        try:
            keys = _iam(self.settings).list_access_keys(UserName=name)["AccessKeyMetadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise ToolError(f"IAM does not say whose keys {name} has: {error}") from None
            raise ToolError(self._gone(name)) from None
        except BotoCoreError as error:
            raise ToolError(f"IAM cannot be asked for the keys of {name}: {error}") from None
        return [key["AccessKeyId"] for key in keys], name

    def _gone(self, name: str) -> str:
        roles = [role for role in self.settings.roles if name.startswith(traceable_prefix(role, "").removesuffix("-"))]
        by_name = f"; its name is one of role {max(roles, key=len)}: make audit ROLE=…" if roles else ""
        return (
            f"IAM has no user {name} any more, so nothing here says what its access key was; CloudTrail does: aws "
            f"cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue={name} (event "
            f"CreateAccessKey), then make audit KEY=…{by_name}"
        )

    def _state(self, request: Request) -> str:
        if request.refused:
            return f"refused: {request.refused}"
        if not request.lease:
            return "has no lease"
        ending = request.ending
        revoked = (
            f"revoked {readable(ending.time)} by {ending.by} from {ending.address}: {ending.how}" if ending else ""
        )
        try:
            until = self.vault.sys.read_lease(request.lease)["data"]["expire_time"]
        except hvac.exceptions.InvalidRequest:
            return revoked or "over: expired, or revoked with the parent of its token"
        except hvac.exceptions.VaultError as error:
            self._note(f"Vault does not say which leases live ({type(error).__name__} at sys/leases/lookup)")
            return revoked or "no revocation in this log"
        return f"lives until {readable(until)}" + (f", though {revoked}" if ending else "")

    def _acted_as(self, request: Request) -> str:
        """The AWS principal of a credential, as closely as anything here knows it."""
        role = self.settings.roles.get(request.role)
        if request.refused:
            return ""
        if isinstance(role, FederationTokenRole):
            return "federated-user/…"
        engine = next(e for e in self.settings.engines if self.settings.mount_path(e) == request.mount)
        traceable = self.settings.engines[engine].username_template == TRACEABLE
        start = traceable_prefix(request.role, request.display_name) if traceable else ""
        if isinstance(role, AssumedRole):
            name = role.role_arns[0].rsplit("/", 1)[-1] if len(role.role_arns) == 1 else "…"
            return f"assumed-role/{name}/{start}…"
        path = role.user_path if isinstance(role, IamUserRole) else "/"
        return f"user{path}{self._live_user(request, path, start) or f'{start}…'}"

    def _live_user(self, request: Request, path: str, start: str) -> str | None:
        """The IAM user that has the request's key, if it still exists: made when the request was, named for it."""
        asked = datetime.fromisoformat(request.time)
        try:
            iam = _iam(self.settings)
            pages = iam.get_paginator("list_users").paginate(PathPrefix=path)
            for user in (user for page in pages for user in page["Users"]):
                if user["UserName"].startswith(start) and abs(user["CreateDate"] - asked) < _SKEW:
                    keys = iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
                    if any(self._hash(key["AccessKeyId"]) == request.key_hash for key in keys):
                        return str(user["UserName"])
        except (BotoCoreError, ClientError) as error:
            self._note(f"IAM does not say which users live, so names are shown as far as they are known: {error}")
        return None

    def _hash(self, text: str) -> str:
        try:
            return str(self.vault.sys.calculate_hash(self.device, text)["data"]["hash"])
        except hvac.exceptions.InvalidRequest:
            raise ToolError(f"Vault has no audit device {self.device!r}; name the log's own with DEVICE=…") from None
        except hvac.exceptions.Forbidden:
            raise ToolError(
                f"the token may not use sys/audit-hash/{self.device}, and the log holds hashes; its policy needs "
                "`update` there"
            ) from None
        except (hvac.exceptions.VaultError, requests.RequestException) as error:
            raise ToolError(f"Vault cannot be asked for a hash: {' '.join(str(error).split())}") from None

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The options of the command."""
    question = command.add_mutually_exclusive_group(required=True)
    for name, meaning in QUESTIONS.items():
        question.add_argument(f"--{name}", help=meaning)
    command.add_argument("--file", type=Path, help="the log (default: that of the first file device in the settings)")
    command.add_argument("--device", help="the path of the device that wrote it (default: that device)")
    command.add_argument("--last", type=_count, default=100, help="how many requests, the newest (default: 100)")
    command.add_argument("--json", action="store_true", help="JSON instead of a table")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of requests; write 1 or more")
    return int(text)


def device_and_log(settings: Settings, folder: Path, file: Path | None, device: str | None) -> tuple[str, Log]:
    """Chooses the log to read and the device whose hashes it holds.

    Args:
        settings: The stack's settings.
        folder: What the relative paths of the local stack start from.
        file: The log that was asked for, if one was.
        device: The device that was asked for, if one was.

    Raises:
        ToolError: There is no such device, or no such file.
    """
    files = {path: one for path, one in settings.audit.devices.items() if isinstance(one, FileDevice)}
    if device is None:
        device = next(iter(files), None)
    if device is None:
        raise ToolError(
            "the settings name no audit device of type file; name a log with FILE=… and its device DEVICE=…"
        )
    if file is None and device not in files:
        raise ToolError(
            f"the audit device {device!r} of the settings writes no file; name a copy of its log with FILE=…"
        )
    chosen = file or folder / files[device].file_path
    if not chosen.is_file():
        raise ToolError(f"there is no audit log {chosen} on this machine; copy it from the server and name it: FILE=…")
    return device, Log.of(chosen)


def _iam(settings: Settings) -> Any:  # noqa: ANN401 - boto3 makes its clients
    return boto3.client("iam", region_name=settings.region, config=_CLIENT)
