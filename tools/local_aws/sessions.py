"""The temporary credentials that STS gave out: real keys, held until they expire."""

import secrets
import string
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from moto.iam.utils import generate_access_key_id_from_account_id

from documents.evaluation import Document
from tools.local_aws.environment import ACCOUNT, PARTITION
from tools.local_aws.identities import (
    Caller,
    boundary_document,
    find_role_by_arn,
    find_user,
    policy_documents,
    tags_of,
)
from tools.local_aws.refusals import RefusalError

_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"


def utcnow() -> datetime:
    """The time by which sessions begin and end."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Session:
    """Temporary credentials.

    Attributes:
        kind: `Session` (of GetSessionToken), `AssumedRole` or `FederatedUser`.
        parent: The name of the user, or the ARN of the role, whose permissions the session has at most.
        parent_id: Its unique id: another that is later given the same name is not the session's.
        name: The session's name; empty for GetSessionToken.
        duration: For how long it holds.
        policies: The session policies; None where none limit it.
        tags: The session tags.
        mfa: Whether the session was made with an MFA code.
    """

    kind: str
    parent: str
    parent_id: str
    name: str
    duration: timedelta
    policies: tuple[Document, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    mfa: bool = False
    issued: datetime = field(default_factory=lambda: utcnow())  # noqa: PLW0108 - so that tests can turn the clock
    key_id: str = field(default_factory=lambda: generate_access_key_id_from_account_id(ACCOUNT, prefix="ASIA"))
    secret: str = field(
        default_factory=lambda: "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(40)), repr=False
    )
    token: str = field(default_factory=lambda: secrets.token_urlsafe(200), repr=False)

    @property
    def expiration(self) -> datetime:
        """When it ends, to the second."""
        return (self.issued + self.duration).replace(microsecond=0)

    @property
    def arn(self) -> str:
        """The principal as GetCallerIdentity names it."""
        if self.kind == "FederatedUser":
            return f"arn:{PARTITION}:sts::{ACCOUNT}:federated-user/{self.name}"
        if self.kind == "AssumedRole":
            return f"arn:{PARTITION}:sts::{ACCOUNT}:assumed-role/{self.parent.rsplit('/', 1)[-1]}/{self.name}"
        user = find_user(self.parent)
        return user.arn if user else ""

    @property
    def user_id(self) -> str:
        """What `aws:userid` holds."""
        if self.kind == "FederatedUser":
            return f"{ACCOUNT}:{self.name}"
        if self.kind == "AssumedRole":
            return f"{self.parent_id}:{self.name}"
        return self.parent_id

    def caller(self) -> Caller:
        """The principal of a request that is signed with this session's key.

        Raises:
            RefusalError: The session has expired, or whose it was is gone.
        """
        if utcnow() >= self.expiration:
            raise RefusalError("ExpiredToken", "The security token included in the request is expired")
        role = find_role_by_arn(self.parent) if self.kind == "AssumedRole" else None
        user = find_user(self.parent) if self.kind != "AssumedRole" else None
        holder = role or user
        if holder is None or holder.id != self.parent_id:
            raise RefusalError("InvalidClientTokenId", "The security token included in the request is invalid.")
        tags = {**tags_of(holder), **self.tags} if self.kind != "FederatedUser" else dict(self.tags)
        return Caller(
            arn=self.arn,
            user_id=self.user_id,
            secret=self.secret,
            token=self.token,
            kind=self.kind,
            role_arn=self.parent if role else None,
            user_name=self.parent if self.kind == "Session" else None,
            identity=policy_documents(holder),
            boundary=boundary_document(holder),
            session=self.policies,
            context={
                "aws:TokenIssueTime": self.issued.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "aws:MultiFactorAuthPresent": str(self.mfa).lower(),
                **({"aws:MultiFactorAuthAge": str(int((utcnow() - self.issued).total_seconds()))} if self.mfa else {}),
                **{f"aws:PrincipalTag/{key}": value for key, value in tags.items()},
            },
        )


class Sessions:
    """All sessions that have not expired long ago."""

    _KEPT = timedelta(days=1)  # so that an expired key is told from an unknown one

    def __init__(self) -> None:
        self._by_key: dict[str, Session] = {}
        self._lock = threading.Lock()

    def add(self, session: Session) -> Session:
        """Keeps a session, and drops those that expired a day ago."""
        with self._lock:
            gone = [key for key, old in self._by_key.items() if old.expiration + self._KEPT < utcnow()]
            for key in gone:
                del self._by_key[key]
            self._by_key[session.key_id] = session
        return session

    def get(self, key_id: str) -> Session | None:
        """The session of an access key."""
        return self._by_key.get(key_id)


SESSIONS = Sessions()
