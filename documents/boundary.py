"""The permissions boundary of the IAM users that Vault makes.

A boundary gives nothing: a user may do what its policies and its boundary both allow
(https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html). So a role whose policy is too
wide, by mistake or by someone's change in Vault, still yields credentials that cannot make themselves permanent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from documents.actions import access_level, actions_like
from documents.limits import MANAGED_POLICY_LIMIT
from documents.policy import PolicyDocument, read_policy
from documents.statements import may_allow
from settings.faults import Fault, FaultsError
from settings.model import Settings
from settings.roles import IamUserRole

_SESSIONS = ("sts:AssumeRole", "sts:AssumeRoot", "sts:GetFederationToken")
_FEW = 3


@dataclass(frozen=True)
class Boundary:
    """The boundary of the users that one engine makes.

    Attributes:
        arn: Its ARN in the account.
        name: The name of the policy that the stack makes; None if the boundary exists already.
        document: The policy's document; None if the boundary exists already.
    """

    arn: str
    name: str | None = None
    document: str | None = None


def read_boundary(folder: Path, name: str) -> PolicyDocument:
    """Reads a boundary's document and checks that it holds.

    Args:
        folder: Where policy documents are.
        name: The file's path inside the folder.

    Raises:
        FaultsError: With every fault of the document; one is that it lets through what a leased credential must
            never do.
    """
    document = read_policy(folder, name, role=None, limit=MANAGED_POLICY_LIMIT)
    if let_through := [action for action in never() if may_allow(document.content, action)]:
        few = ", ".join(let_through[:_FEW]) + (f" and {len(let_through) - _FEW} more" if let_through[_FEW:] else "")
        message = (
            f"as a permissions boundary it lets through {few}, with which a credential outlives its lease; deny them "
            "for every resource, without condition, or do not allow them"
        )
        raise FaultsError([Fault(document.path, "", message)])
    return document


def never() -> Iterator[str]:
    """The actions that no boundary may let through, under no condition and on no resource.

    They change identities, the account or the organisation, or make a session that goes on when the lease has
    ended. iam:PassRole is not among them: the boundary of this project denies it, another may allow it for a role.
    """
    for service in ("iam", "organizations", "account"):
        for action in actions_like(f"{service}:*"):
            if access_level(action) not in {"List", "Read"} and action != "iam:PassRole":
                yield action
    yield from _SESSIONS


def boundary_of(
    settings: Settings, engine: str, document: PolicyDocument | None, *, partition: str, account: str
) -> Boundary | None:
    """The boundary that an engine's settings ask for, in an account.

    Args:
        settings: The stack's settings.
        engine: The engine's name.
        document: The boundary's document, if the settings name one.
        partition: The AWS partition.
        account: The account's 12 digits.

    Returns:
        The boundary; None if no role of the engine takes it.
    """
    if not _takers(settings, engine):
        return None
    if document is None:
        return Boundary(settings.engines[engine].permissions_boundary)
    name = f"leased-users-{settings.environment}-{engine}"
    path = settings.engines[engine].vault_user.path
    values = {
        "partition": partition,
        "account": account,
        "region": settings.region,
        "environment": settings.environment,
    }
    return Boundary(f"arn:{partition}:iam::{account}:policy{path}{name}", name, document.render(values))


def boundary_arns(settings: Settings, engine: str, boundary: Boundary | None) -> Mapping[str, str]:
    """The boundary's ARN of each role whose users have one: the role's own, or else its engine's."""
    taken = dict.fromkeys(_takers(settings, engine), boundary.arn) if boundary else {}
    own = {
        name: role.permissions_boundary_arn
        for name, role in settings.roles_of(engine).items()
        if isinstance(role, IamUserRole) and role.permissions_boundary_arn
    }
    return {**taken, **own}


def _takers(settings: Settings, engine: str) -> list[str]:
    return [
        name
        for name, role in settings.roles_of(engine).items()
        if isinstance(role, IamUserRole) and role.permissions_boundary_arn is None
    ]
