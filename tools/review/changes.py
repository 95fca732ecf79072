"""What changed, as data that every rendering shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from documents.actions import access_level
from tools.review.meaning import Grant

LEVELS = ("Permissions management", "Write", "Tagging", "Read", "List")
"""AWS's access levels, the gravest first."""
FUTURE = "whatever AWS adds"
"""The level of a pattern, which stands for the actions that there will be."""


class Verdict(Enum):
    """What happens to a thing."""

    ADDED = "added"
    REMOVED = "removed"
    REPLACED = "replaced"
    CHANGED = "changed"
    SAME = "no change in access"


@dataclass(frozen=True)
class FieldChange:
    """A setting that changed.

    Attributes:
        name: The setting.
        gone: What it says no more; of a list those of its members alone.
        new: What it says now; likewise.
    """

    name: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """One thing on both sides of a change.

    Attributes:
        what: Its kind, such as `role`.
        name: Its name.
        verdict: What happens to it.
        leases: What that means for leases that live.
        fields: The settings that changed.
        gained: What it may do that it might not before.
        lost: What it might do before.
        findings: What the checks find in it now and did not before.
        findings_gone: What the checks found in it before.
        notes: What else a reviewer should know.
    """

    what: str
    name: str
    verdict: Verdict
    leases: str = ""
    fields: tuple[FieldChange, ...] = ()
    gained: tuple[Grant, ...] = ()
    lost: tuple[Grant, ...] = ()
    findings: tuple[str, ...] = ()
    findings_gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Review:
    """All that changed in a stack.

    Attributes:
        stack: The stack's name.
        base: What it is compared with, as it was named.
        commit: The commit of that, short.
        verdict: What happens to the stack itself: added, removed or changed.
        changes: Its roles, all of them; and of everything else what changed.
    """

    stack: str
    base: str
    commit: str
    verdict: Verdict
    changes: tuple[Change, ...] = field(default=())

    @property
    def changed(self) -> tuple[Change, ...]:
        """What changed."""
        return tuple(change for change in self.changes if change.verdict is not Verdict.SAME)


def verdict_of(before: object, after: object, *, replaced: bool, changed: bool) -> Verdict:
    """What happens to a thing that is None on a side on which it is not there."""
    if before is None:
        return Verdict.ADDED
    if after is None:
        return Verdict.REMOVED
    if replaced:
        return Verdict.REPLACED
    return Verdict.CHANGED if changed else Verdict.SAME


def by_level(grants: Iterable[Grant]) -> dict[str, list[str]]:
    """The actions of grants by access level, the gravest first."""
    actions = sorted({action for grant in grants for action in grant.actions})
    levels: dict[str, list[str]] = {level: [] for level in (*LEVELS, FUTURE)}
    for action in actions:
        level = access_level(action)
        levels[level if level in LEVELS else FUTURE].append(action)
    return {level: names for level, names in levels.items() if names}


def counted(changes: Sequence[Change]) -> str:
    """How many things were added, removed and so on, in words."""
    counts = {verdict: sum(change.verdict is verdict for change in changes) for verdict in Verdict}
    told = [f"{count} {verdict.value}" for verdict, count in counts.items() if count and verdict is not Verdict.SAME]
    return ", ".join(told)
