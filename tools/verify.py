"""Proof: every role is read as its consumer would, its credential tried, and its lease ended.

AWS's address and the caller's own credentials are the environment's, as for every AWS SDK.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import boto3
import hvac
import requests
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from settings.model import Settings
from settings.roles import Probe, Role
from tools.code_spans import plain

DEADLINE = 90.0
"""Seconds in which AWS must take up a new credential, or drop an old one."""

_AT_A_TIME = 8
_CLIENT = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})
_REFUSED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthorizationError",
    "403",
    "UnauthorizedException",
}
_UNKNOWN_KEY = {"InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "ExpiredToken"}

T = TypeVar("T")
Key = tuple[str, str, str | None]
"""An access key: its id, its secret key, and a session's token."""


class RoleFailedError(Exception):
    """Why a role's credential does not do what it should."""


@dataclass
class Outcome:
    """A row of the table: what was seen of a role's credential."""

    role: str
    credential_type: str
    identity: str = ""
    probes: list[str] = field(default_factory=list)
    ending: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Verifier:
    """Tries the roles of a stack.

    Attributes:
        settings: The stack's settings; they name the probes.
        paths: The path from which each role's credentials are read.
        vault: A client that may read them and revoke their leases.
        deadline: Seconds to wait for AWS's eventual consistency.
    """

    settings: Settings
    paths: Mapping[str, str]
    vault: hvac.Client
    deadline: float = DEADLINE
    _clients: dict[tuple[Key | None, str], Any] = field(default_factory=dict, init=False, repr=False)
    _session: boto3.Session = field(default_factory=boto3.Session, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def verify_all(self) -> list[Outcome]:
        """Verifies the roles, some at a time: most of it is waiting for AWS."""
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            return list(pool.map(self.verify, self.settings.roles))

    def verify(self, name: str) -> Outcome:
        """Reads one credential of a role, tries it and ends its lease; a failure is in the outcome."""
        role = self.settings.roles[name]
        outcome = Outcome(name, role.credential_type)
        lease = None
        try:
            lease = self._read(name, role)
            self._check_ttl(name, role, lease)
            key = _key(lease["data"])
            identity = self._until(lambda: self._client(key, "sts").get_caller_identity(), _UNKNOWN_KEY)
            outcome.identity = identity["Arn"].split(":", 5)[5]
            self._probe(key, role, outcome)
            outcome.ending = self._end(role, lease, key, identity["Arn"])
            lease = None
        except RoleFailedError as error:
            outcome.failure = str(error)
        except ClientError as error:
            outcome.failure = f"{error.operation_name}: {_code(error)}: {error.response['Error'].get('Message', '')}"
        except (BotoCoreError, hvac.exceptions.VaultError, requests.RequestException) as error:
            outcome.failure = f"{type(error).__name__}: {error}"
        finally:
            if lease is not None and lease.get("lease_id"):
                self._revoke_quietly(lease["lease_id"])
        return outcome

    def _read(self, name: str, role: Role) -> dict[str, Any]:
        path = self.paths[name]
        role_arns = getattr(role, "role_arns", [])
        # With more than one IAM role Vault wants to be told which; the first stands for the others.
        parameters = {"role_arn": role_arns[0]} if len(role_arns) > 1 else {}
        answer = self._until(lambda: self.vault.adapter.get(f"/v1/{path}", params=parameters), _UNKNOWN_KEY | _REFUSED)
        if not isinstance(answer, dict) or "data" not in answer:
            raise RoleFailedError(f"Vault has nothing at {path}; run `make up` first")
        return answer

    def _check_ttl(self, name: str, role: Role, lease: Mapping[str, Any]) -> None:
        engine = self.settings.engines[self.settings.engine_of(name)]
        longest = getattr(role, "max_sts_ttl", None) or engine.max_lease_ttl
        seconds = max(lease["lease_duration"], lease["data"].get("ttl") or 0)
        if not 0 < seconds <= longest:
            raise RoleFailedError(f"the lease lives {seconds} s, and the settings allow {longest} s")

    def _probe(self, key: Key, role: Role, outcome: Outcome) -> None:
        for probe in role.probes.allowed:
            self._until(partial(self._call, key, probe), _UNKNOWN_KEY | _REFUSED)
            outcome.probes.append(f"may {probe.call}")
        for probe in role.probes.denied:
            try:
                self._call(key, probe)
            except ClientError as error:
                if _code(error) not in _REFUSED:
                    raise
                outcome.probes.append(f"may not {probe.call}")
            else:
                raise RoleFailedError(f"{probe.call} {probe.with_} succeeded and must be refused; narrow the policy")

    def _call(self, key: Key, probe: Probe) -> object:
        service, operation = probe.call.split(":")
        return getattr(self._client(key, service), xform_name(operation))(**probe.with_)

    def _end(self, role: Role, lease: Mapping[str, Any], key: Key, arn: str) -> str:
        if role.credential_type != "iam_user":
            seconds = lease["data"].get("ttl") or lease["lease_duration"]
            expires = datetime.now(UTC) + timedelta(seconds=seconds)
            return f"expires {expires:%H:%M} UTC, within {seconds} s"
        self.vault.sys.revoke_lease(lease["lease_id"])
        sts = self._client(key, "sts")
        deadline, pause = time.monotonic() + self.deadline, 0.1
        while True:
            try:
                sts.get_caller_identity()
            except ClientError as error:
                if _code(error) in _UNKNOWN_KEY:
                    break
                raise
            if time.monotonic() > deadline:
                raise RoleFailedError(f"AWS still takes the key {self.deadline:.0f} s after its lease was revoked")
            time.sleep(pause)
            pause = min(2 * pause, 5.0)
        return f"revoked, {self._user_gone(arn)}"

    def _user_gone(self, arn: str) -> str:
        """Looks for the IAM user with the caller's own rights, where there are any."""
        user = arn.rsplit("/", 1)[1]
        try:
            self._client(None, "iam").get_user(UserName=user)
        except ClientError as error:
            if _code(error) == "NoSuchEntity":
                return "user gone"
        except BotoCoreError:
            pass
        else:
            raise RoleFailedError(f"the IAM user {user} is still there after its lease was revoked")
        return "key refused"

    def _until(self, call: Callable[[], T], passing: set[str]) -> T:
        """Repeats a call, to AWS or through Vault, until AWS knows the credential and its policies everywhere."""
        deadline, pause = time.monotonic() + self.deadline, 0.2
        while True:
            try:
                return call()
            except ClientError as error:
                if _code(error) not in passing or time.monotonic() > deadline:
                    raise
            except hvac.exceptions.VaultError as error:
                # Vault passes AWS's refusal on as text.
                if not any(f"{code}:" in str(error) for code in passing) or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, 5.0)

    def _client(self, key: Key | None, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients
        """A client with a key, or with the caller's own; made once, since that takes longer than its calls."""
        with self._lock:  # boto3's sessions do not make clients for two threads at once
            if (key, service) not in self._clients:
                access_key, secret_key, token = key or (None, None, None)
                self._clients[key, service] = self._session.client(
                    service,
                    region_name=self.settings.region,
                    aws_access_key_id=access_key,
                    aws_secret_access_key=secret_key,
                    aws_session_token=token,
                    config=_CLIENT,
                )
            return self._clients[key, service]

    def _revoke_quietly(self, lease_id: str) -> None:
        try:
            self.vault.sys.revoke_lease(lease_id)
        except (hvac.exceptions.VaultError, requests.RequestException):
            # The role has failed already, and its own reason is the one to show.
            return


def show(outcomes: list[Outcome], console: Console) -> bool:
    """Prints the table, a row a role, and says whether all is well."""
    table = Table(title="Credentials, read as their consumers would", title_justify="left")
    for heading in ("role", "credential type", "identity", "probes", "lease"):
        table.add_column(heading, overflow="fold")
    table.add_column("", no_wrap=True)
    for row in outcomes:
        mark = "[red]failed[/red]" if row.failure else "[green]ok[/green]"
        probes = "\n".join(map(plain, row.probes)) or "none named"
        # Texts, not markup, and plain: AWS answers with some of these words.
        cells = [plain(row.role), plain(row.credential_type), plain(row.identity), probes, plain(row.ending)]
        table.add_row(*map(Text, cells), mark)
    console.print(table)
    for row in outcomes:
        if row.failure:
            console.print(plain(f"{row.role}: {row.failure}"), style="red", markup=False, soft_wrap=True)
    return not any(row.failure for row in outcomes)


def _key(data: Mapping[str, Any]) -> Key:
    return (data["access_key"], data["secret_key"], data.get("security_token") or data.get("session_token"))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
