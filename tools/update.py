"""An update of a stack, or its end: shown, asked about, and done in steps that a crash cannot spoil.

Pulumi writes the whole state after each step, so that nothing is lost if it is killed; with hundreds of roles that is
nearly all the time that an update takes (500 roles: 309 s with, 24 s without). What matters there is the user, its key
and the mount: made again they would collide, or leave a key behind. Roles, Vault policies and logins are written by
name; writing one twice is writing it once. So where there are many of these, everything else is updated first, with
its checkpoints, and then they, without.

A preview comes first where it decides anything: where somebody is asked, where the policy pack may refuse, and where
a large stack that stands may change: it tells what is to be updated first.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from program.foundation import FOUNDATION
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack

GUARDED: Final = ("--policy-pack", str(PROJECT / "policy_pack"))
"""The policy pack is asked whenever a stack is previewed or updated."""

MANY: Final = 50
"""From how many resources on that may be made twice it pays to run the program once more, without checkpoints.

However few of them change: after a refresh Pulumi takes each for changed in a way that must be recorded, since the
refresh forgets which inputs are defaults (`__defaults`), so that the next update writes the state for each.
"""

REPEATABLE: Final = frozenset(
    {
        "vault:aws/secretBackendRole:SecretBackendRole",
        "vault:identity/group:Group",
        "vault:identity/groupAlias:GroupAlias",
        "vault:index/policy:Policy",
        "vault:jwt/authBackendRole:AuthBackendRole",
        "vault:kubernetes/authBackendRole:AuthBackendRole",
        "vault-aws:access:Group",
        "vault-aws:access:Jwt",
        "vault-aws:access:Kubernetes",
        "vault-aws:access:VaultPolicies",
        "vault-aws:role:Roles",
    }
)
"""What Vault takes again under the same name, and the components of it. Nothing but `LAST` depends on any of it."""

LAST: Final = frozenset({"vault:appRole/authBackendRole:AuthBackendRole", "vault-aws:access:AppRole"})
"""What hangs on these, and must be recorded: OpenBao refuses the provider's second write of an AppRole
(`local_secret_ids can only be modified during role creation`).
"""

OF_A_ROLE: Final = 2
"""So many resources a role is: itself, and the Vault policy that reads it."""

EVENTS: Final = "PULUMI_DEBUG_COMMANDS"
"""The variable without which Pulumi takes no `--event-log`."""

UNRECORDED: Final = "PULUMI_SKIP_CHECKPOINTS"
"""The variable that has Pulumi write the state at the end alone."""

_UNCHANGED: Final = frozenset({"same", "read"})

Recorded = Sequence[Mapping[str, Any]]
"""Resources as a state holds them."""


def repeatable(recorded: Recorded) -> Sequence[str]:
    """The URNs of the resources that may be made twice."""
    return [resource["urn"] for resource in recorded if resource["type"] in REPEATABLE]


@dataclass(frozen=True)
class Scope:
    """How large a stack is and will be.

    Attributes:
        standing: How many resources its state holds that may be made twice.
        roles: How many roles its settings declare.
    """

    standing: int
    roles: int

    @classmethod
    def of(cls, recorded: Recorded, config: Mapping[str, Any]) -> "Scope":
        """The scope of a stack with such a state and such settings."""
        roles = config.get("vault-aws:roles")
        return cls(len(repeatable(recorded)), len(roles) if isinstance(roles, Mapping) else 0)

    @property
    def many(self) -> bool:
        """Whether it has many, now or then."""
        return max(self.standing, self.roles * OF_A_ROLE) >= MANY

    @property
    def new(self) -> bool:
        """Whether it has many to make, and none so far."""
        return self.many and not self.standing

    @property
    def undecided(self) -> bool:
        """Whether only a preview can tell what must be recorded first, if anything changes."""
        return self.many and not self.new


@dataclass(frozen=True)
class Change:
    """What an update would do to one resource."""

    urn: str
    type: str
    operation: str

    @property
    def repeatable(self) -> bool:
        """Whether it may be done twice, so that it need not be recorded at once."""
        return self.type in REPEATABLE


@dataclass(frozen=True)
class Planned:
    """What a preview said.

    Attributes:
        changes: What would be done, in the preview's order.
        outputs_change: Whether the stack's outputs would be others.
    """

    changes: Sequence[Change]
    outputs_change: bool

    @property
    def first(self) -> list[str] | None:
        """The URNs to update before the rest, with checkpoints; None if what must be recorded is replaced.

        What only goes is left to the rest: deleted twice, it is deleted once.
        """
        recorded = [change for change in self.changes if not change.repeatable and change.operation != "delete"]
        if any(change.operation not in {"create", "update"} for change in recorded):
            return None
        return [change.urn for change in recorded if change.type not in LAST]

    @property
    def last(self) -> list[str]:
        """The URNs to update after the rest, with checkpoints, because they depend on it."""
        return [change.urn for change in self.changes if change.type in LAST]


Step = tuple[PulumiStack, Sequence[str]]
"""A command of an update: with which environment, and its words."""


def update(stack: PulumiStack, options: Sequence[str], confirm: Callable[[], bool] | None, scope: Scope) -> int:
    """Updates a stack; previews it first where that decides anything.

    Args:
        stack: The stack.
        options: What the preview and the update are also given, such as a policy pack.
        confirm: Asked once, if there is anything to do; None where nobody is asked and no policy is mandatory.
        scope: How large the stack is.

    Returns:
        The exit status: Pulumi's, or 1 if it was not confirmed. Nothing was changed by a preview that failed.
    """
    planned = None
    if confirm is not None or scope.undecided:
        with tempfile.TemporaryDirectory() as folder:
            events = Path(folder) / "events.json"
            status = stack.given(EVENTS).run("preview", *options, "--event-log", str(events)).returncode
            if status:
                return status
            planned = read_events(events)
        if not planned.changes and not planned.outputs_change:
            return 0
        if confirm is not None and not confirm():
            sys.stderr.write("nothing was changed\n")
            return 1
    for one, words in _steps(stack, options, planned, scope):
        status = one.run(*words).returncode
        if status:
            return status
    return 0


def _steps(stack: PulumiStack, options: Sequence[str], planned: Planned | None, scope: Scope) -> Sequence[Step]:
    """What an update runs. Each is given the options, but for one that is only the first half of what nobody guards."""
    words = ("up", "--yes", "--skip-preview")
    guarded = (*words, *options)
    unrecorded = stack.given(UNRECORDED)
    if scope.new:
        return [(stack.given(FOUNDATION), guarded if planned else words), (unrecorded, guarded)]
    if planned is None or planned.first is None or not scope.many:
        return [(stack, guarded)]
    first = [(stack, (*guarded, *_targets(planned.first)))] if planned.first else []
    excluded = [word for urn in planned.last for word in ("--exclude", urn)]
    last = [(stack, guarded)] if excluded else []
    return [*first, (unrecorded, (*guarded, *excluded)), *last]


def destroy(stack: PulumiStack, confirm: Callable[[], bool] | None, recorded: Recorded) -> int:
    """Destroys a stack; shows before what that takes away, and has it confirmed.

    Args:
        stack: The stack.
        confirm: Asked once; None where nobody is asked, and nothing is shown before.
        recorded: The resources that its state holds.

    Returns:
        The exit status: Pulumi's, or 1 if it was not confirmed.
    """
    if confirm is not None:
        status = stack.run("destroy", "--preview-only").returncode
        if status:
            return status
        if not confirm():
            sys.stderr.write("nothing was changed\n")
            return 1
    words = ("destroy", "--yes", "--skip-preview")
    first = repeatable(recorded)
    if len(first) >= MANY:
        # What is deleted twice is deleted once: Vault says nothing about a role that is not there.
        status = stack.given(UNRECORDED).run(*words, "--target-dependents", *_targets(first)).returncode
        if status:
            return status
    return stack.run(*words).returncode


def _targets(urns: Sequence[str]) -> list[str]:
    return [word for urn in urns for word in ("--target", urn)]


def read_events(log: Path) -> Planned:
    """What a preview's event log says; https://www.pulumi.com/docs/iac/automation-api/ reads the same."""
    changes: dict[str, Change] = {}
    outputs: list[Any] = [None, None]
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if "resourcePreEvent" in event:
                step = event["resourcePreEvent"]["metadata"]
                if step["op"] not in _UNCHANGED:
                    changes[f"{step['urn']} {step['op']}"] = Change(step["urn"], step["type"], step["op"])
            elif "resOutputsEvent" in event:
                step = event["resOutputsEvent"]["metadata"]
                if step["type"] == "pulumi:pulumi:Stack":
                    outputs = [(step.get(side) or {}).get("outputs") for side in ("old", "new")]
    return Planned(list(changes.values()), outputs[0] != outputs[1])
