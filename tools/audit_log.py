"""Reads file audit logs of Vault: which requests for AWS credentials there were, and what ended their leases.

An entry is a line of JSON (https://developer.hashicorp.com/vault/docs/audit#format). Role, lease id, display
name and address stand there in clear text, secrets and access keys as HMACs. Logs are read line by line, and
only lines that mention what is looked for are parsed, so that their size costs time and no memory.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

_CREDENTIAL_PATHS = ("creds", "sts", "static-creds")


@dataclass(frozen=True)
class Ending:
    """A request that ended a lease."""

    time: str
    by: str
    """The display name of who asked for it."""
    address: str
    how: str
    """The path of the request, or what it did."""


@dataclass
class Request:
    """A request for a credential, as the log has it; what is hashed there stays so."""

    time: str
    mount: str
    role: str
    path: str
    display_name: str
    entity: str
    metadata: dict[str, str]
    address: str
    token_hash: str
    accessor_hash: str
    lease: str
    key_hash: str
    arn_hash: str
    refused: str
    """Why there was no credential; empty if there was one."""
    login: str = ""
    """The request with which its token was had, if the log reaches back to it."""
    ending: Ending | None = None


@dataclass
class Log:
    """One device's log: a file with its rotated siblings, oldest first.

    Attributes:
        files: The files; those that end in `.gz` are compressed.
        malformed: How many lines are no entries.
    """

    files: Sequence[Path]
    malformed: int = field(default=0, init=False)

    @classmethod
    def of(cls, file: Path) -> "Log":
        """The log in a file and in those that rotation put beside it (`audit.log.1`, `audit.log-20260102.gz`)."""
        siblings = [path for path in file.parent.glob(f"{file.name}[.-]*") if path.is_file()]
        return cls([*sorted(siblings, key=lambda path: path.stat().st_mtime), file])

    def requests(self, mounts: Sequence[str], needles: Sequence[str]) -> Iterator[Request]:
        """The requests for credentials of these mounts whose entries hold one of the needles."""
        marks = [needle.encode() for needle in needles]
        for entry in self._entries(lambda line: any(mark in line for mark in marks)):
            if request := _request(entry, mounts):
                yield request

    def follow(self, requests: Sequence[Request], lease_hashes: dict[str, str]) -> None:
        """Finds the login before each request and what ended its lease.

        Args:
            requests: Requests of this log; their `login` and `ending` are filled in.
            lease_hashes: The hashes, by this log's device, of their lease ids, with the ids: a request to
                revoke one lease has its id hashed.
        """
        by_accessor: dict[str, list[Request]] = {}
        for request in requests:
            by_accessor.setdefault(request.accessor_hash, []).append(request)
        # A login has two parts named auth: of the request and of its answer.
        for entry in self._entries(
            lambda line: b"revoke" in line or b"sys/mounts/" in line or line.count(b'"auth"') > 1
        ):
            answer = _part(_part(entry, "response"), "auth")
            for request in by_accessor.get(str(answer.get("accessor")), []):
                request.login = str(_part(entry, "request").get("path"))
            if _failed(entry):
                continue
            for request in requests:
                if request.lease and request.ending is None and _ends(entry, request, lease_hashes):
                    request.ending = _ending(entry)

    def _entries(self, wanted: Callable[[bytes], bool]) -> Iterator[dict[str, Any]]:
        """The responses among the wanted lines: a request's own entry comes before its fate is known."""
        malformed = 0
        for file in self.files:
            with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
                for line in lines:
                    # What collects logs may put its own words in front.
                    start = line.find(b"{")
                    whole = start >= 0 and line.rstrip().endswith(b"}")
                    if whole and not wanted(line):
                        continue
                    entry = _parsed(line[start:]) if whole else None
                    if entry is None:
                        malformed += bool(line.strip())
                    elif entry.get("type") == "response":
                        yield entry
        self.malformed = max(self.malformed, malformed)


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(text)
        timed = isinstance(entry, dict) and _moment(entry["time"]).tzinfo is not None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return entry if timed else None


def _part(entry: dict[str, Any], name: str) -> dict[str, Any]:
    part = entry.get(name)
    return part if isinstance(part, dict) else {}


def _request(entry: dict[str, Any], mounts: Sequence[str]) -> Request | None:
    asked, auth, answer = _part(entry, "request"), _part(entry, "auth"), _part(entry, "response")
    path = str(asked.get("path"))
    mount = next((mount for mount in mounts if path.startswith(f"{mount}/")), "")
    kind, _, role = path.removeprefix(f"{mount}/").partition("/")
    if not mount or kind not in _CREDENTIAL_PATHS or not role or asked.get("operation") not in {"read", "update"}:
        return None
    data = _part(answer, "data")
    refused = str(entry.get("error") or "")
    if not refused and not data.get("access_key"):
        refused = "an error of the engine, hashed in the log" if "error" in data else "no credential in the answer"
    return Request(
        time=str(entry.get("time")),
        mount=mount,
        role=role,
        path=path,
        display_name=str(auth.get("display_name") or ""),
        entity=str(auth.get("entity_id") or ""),
        metadata={str(key): str(value) for key, value in _part(auth, "metadata").items()},
        address=str(asked.get("remote_address") or ""),
        token_hash=str(auth.get("client_token") or ""),
        accessor_hash=str(auth.get("accessor") or ""),
        lease=str(_part(answer, "secret").get("lease_id") or ""),
        key_hash=str(data.get("access_key") or ""),
        arn_hash=str(data.get("arn") or ""),
        refused=" ".join(refused.split()),
    )


def _failed(entry: dict[str, Any]) -> bool:
    return bool(entry.get("error")) or "error" in _part(_part(entry, "response"), "data")


def _ends(entry: dict[str, Any], request: Request, lease_hashes: dict[str, str]) -> bool:
    """Whether a successful request ended a lease.

    Sources: https://developer.hashicorp.com/vault/api-docs/system/leases and .../api-docs/auth/token
    """
    asked = _part(entry, "request")
    path, data = str(asked.get("path")), _part(asked, "data")
    if _moment(str(entry.get("time"))) < _moment(request.time):
        return False
    if asked.get("operation") == "delete":
        return path.rstrip("/") == f"sys/mounts/{request.mount}"
    if path.startswith("auth/token/revoke"):
        # With a token go the leases that were made with it.
        token = asked.get("client_token") if path.endswith("revoke-self") else data.get("token")
        return request.token_hash == token or bool(
            request.accessor_hash and request.accessor_hash == data.get("accessor")
        )
    verb, _, target = path.removeprefix("sys/").removeprefix("leases/").partition("/")
    if verb in {"revoke-prefix", "revoke-force"}:
        return f"{request.lease}/".startswith(f"{target.rstrip('/')}/")
    if verb == "revoke":
        return request.lease in (target, lease_hashes.get(str(data.get("lease_id"))))
    return False


def _ending(entry: dict[str, Any]) -> Ending:
    asked = _part(entry, "request")
    return Ending(
        time=str(entry.get("time")),
        by=str(_part(entry, "auth").get("display_name") or "unknown"),
        address=str(asked.get("remote_address") or ""),
        how=f"{asked.get('operation')} {asked.get('path')}",
    )


def _moment(time: str) -> datetime:
    return datetime.fromisoformat(time)


def readable(time: str) -> str:
    """A log's time to the second."""
    return f"{_moment(time):%Y-%m-%d %H:%M:%S} UTC"
