"""Who signs a request, and which policies hold for them: moto's records read as IAM's identities."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from moto.iam.models import IAMBackend, ManagedPolicy, Role, User, iam_backends

from documents.evaluation import Document
from tools.local_aws.environment import ACCOUNT, PARTITION


@dataclass(frozen=True)
class Caller:
    """A principal with the key that it signs with.

    Attributes:
        arn: The principal as GetCallerIdentity names it.
        role_arn: The role, where the principal is a session of one.
        user_name: The IAM user; None for a session that is no user's own.
        user_id: What `aws:userid` holds.
        secret: The secret access key.
        token: The session token that must come with each request; None for a user's own key.
        identity: The documents of the policies of the user or role.
        boundary: The permissions boundary of the user or role.
        session: The session policies; None where none limit the session.
        kind: `User`, `Session` (of GetSessionToken), `AssumedRole` or `FederatedUser`.
        context: The condition keys that tell about the principal.
    """

    arn: str
    user_id: str
    secret: str = field(repr=False)
    kind: str = "User"
    role_arn: str | None = None
    user_name: str | None = None
    token: str | None = field(default=None, repr=False)
    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    session: tuple[Document, ...] | None = None
    context: Mapping[str, str] = field(default_factory=dict)


def iam() -> IAMBackend:
    """IAM's records of the account."""
    return iam_backends[ACCOUNT][PARTITION]


@lru_cache(maxsize=4096)
def parsed(text: str) -> Document:
    """A policy's text as a document."""
    document: Document = json.loads(text)
    return document


def managed_document(arn: str) -> Document:
    """The default version of a managed policy; one that allows nothing if there is no such policy."""
    policy = iam().managed_policies.get(arn)
    return _default_version(policy) if policy else {"Statement": []}


def policy_documents(holder: User | Role) -> tuple[Document, ...]:
    """The policies of a user, with those of its groups, or of a role."""
    groups = [group for group in list(iam().groups.values()) if holder in group.users]
    return tuple(document for each in (holder, *groups) for document in _documents(each))


def boundary_arn(holder: Any) -> str | None:  # noqa: ANN401 - moto's User or Role
    """The ARN of the permissions boundary of a user or role, if it has one."""
    return getattr(holder, "permissions_boundary_arn", None)


def boundary_document(holder: Any) -> Document | None:  # noqa: ANN401 - moto's User or Role
    """The permissions boundary of a user or role; it allows nothing if its policy is gone."""
    arn = boundary_arn(holder)
    return managed_document(arn) if arn else None


def tags_of(holder: Any) -> dict[str, str]:  # noqa: ANN401 - moto's User or Role
    """The tags of a user or role."""
    return {tag["Key"]: tag.get("Value", "") for tag in holder.tags or []}


def find_user(name: str) -> User | None:
    """The user of that name."""
    return iam().users.get(name)


def find_role(name: str) -> Role | None:
    """The role of that name."""
    return next((role for role in list(iam().roles.values()) if role.name == name), None)


def find_role_by_arn(arn: str) -> Role | None:
    """The role of that ARN."""
    return next((role for role in list(iam().roles.values()) if role.arn == arn), None)


def _documents(holder: Any) -> Iterator[Document]:  # noqa: ANN401 - moto's User, Group or Role
    yield from map(parsed, list(holder.policies.values()))
    yield from map(_default_version, list(holder.managed_policies.values()))


def _default_version(policy: ManagedPolicy) -> Document:
    return parsed(next(version.document for version in policy.versions if version.is_default))
