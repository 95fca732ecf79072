"""`make bench-size`: what one stack takes as it grows, and what the same roles take as many stacks."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from tools.bench.declared import Declared, write_settings
from tools.bench.measure import watched
from tools.bench.session import Servers, Session
from tools.bench.ways import LoggedStack, bring_up, logged, succeed, take_down
from tools.errors import ToolError
from tools.update import GUARDED

STEPS: Final = ("create", "preview", "up", "refresh", "change of one role", "destroy")
"""What is measured of a stack, in its order."""


def grow(session: Session, *, runs: int, sizes: Sequence[int], mounts: int, split: int) -> None:
    """Measures one stack of each size over several mounts, then the largest size as `split` stacks of one mount each.

    `session.result["rows"]` has a row for each size and step, with the seconds and bytes of memory of each run, and
    `"states"` the size of each state in bytes; `"stacks"` has a row for each stack and step. A size that failed is not
    tried again.
    """
    session.result.update({"rows": [], "states": {}, "stacks": []})
    for size in sizes:
        for _ in range(runs):
            with session.servers() as servers:
                declared = Declared([f"mount-{number}" for number in range(min(mounts, size))], size)
                measured = _Measured(session, "rows", servers, logged(servers.scratch.stack, servers.log), declared)
                if not session.attempt(f"{size} roles as one stack", measured.life):
                    break
    if split:
        with session.servers() as servers:
            _split(session, servers, max(sizes), split)


def _split(session: Session, servers: Servers, size: int, split: int) -> None:
    """All stacks are made before the first is destroyed, so that they stand on one Vault together."""
    stacks = []
    for number in range(split):
        team = f"team-{number:02}"
        file = servers.scratch.local.home / f"Pulumi.{team}.yaml"
        stack = replace(logged(servers.scratch.stack, servers.log), name=team, config_file=file)
        share = size // split + (number < size % split)
        stacks.append(_Measured(session, "stacks", servers, stack, Declared([team], share, prefix=team)))
    made = [one for one in stacks if session.attempt(f"the stack {one.stack.name} of {split}", one.make)]
    for one in made:
        session.attempt(f"the end of the stack {one.stack.name} of {split}", one.end)


@dataclass(frozen=True)
class _Measured:
    """A stack that is measured; `part` is where in the result."""

    session: Session
    part: str
    servers: Servers
    stack: LoggedStack
    declared: Declared

    def life(self) -> None:
        """From nothing to nothing."""
        self.make()
        self.session.result["states"][str(self.declared.count)] = len(json.dumps(self.stack.state()))
        self.end()

    def make(self) -> None:
        """All steps but the last."""
        write_settings(self.stack, self.servers.config, self.declared)
        self.stack.ensure(create=True)
        for step in STEPS[:-1]:
            if step == "change of one role":
                write_settings(self.stack, self.servers.config, replace(self.declared, changed=1))
            self._measure(step)

    def end(self) -> None:
        """The last step."""
        self._measure(STEPS[-1])

    def _measure(self, step: str) -> None:
        took, held = watched(self._actions[step], servers=self.servers.ids)
        there = [self.servers.roles(mount) for mount in self.declared.mounts]
        wrong = there != [None] * len(there) if step == "destroy" else sum(map(int, filter(None, there))) != self._count
        if wrong:
            raise ToolError(f"{step} left {there} roles at {', '.join(self.declared.mounts)}")
        key: dict[str, Any] = {"roles": self._count, "step": step}
        row = self.session.row(self.part, key | ({"stack": self.stack.name} if self.part == "stacks" else {}))
        row["seconds"].append(took)
        row["bytes"].append(held)
        self.session.say(f"stack {self.stack.name}, {self._count} roles, {step}: {took:.2f} s")
        self.session.save()

    @property
    def _count(self) -> int:
        return self.declared.count

    @property
    def _actions(self) -> dict[str, Callable[[], None]]:
        stack, up = self.stack, partial(bring_up, self.stack, self._count)
        return {
            "create": up,
            "preview": lambda: succeed(stack, "preview", stack.run("preview", "--diff", *GUARDED).returncode),
            "up": up,
            "refresh": lambda: succeed(stack, "refresh", stack.run("refresh", "--yes").returncode),
            "change of one role": up,
            "destroy": partial(take_down, stack),
        }
