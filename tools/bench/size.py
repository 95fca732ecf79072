"""`make bench-size`: what one stack takes as it grows, and what the same roles take as many stacks."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tools.bench.declared import Declared, write_settings
from tools.bench.measure import watched
from tools.bench.session import Servers, Session
from tools.bench.ways import LoggedStack, logged, succeed
from tools.errors import ToolError
from tools.update import GUARDED, destroy, update

STEPS = ("create", "preview", "up", "refresh", "change of one role", "destroy")
"""What is measured of a stack, in its order."""

Record = Callable[[str, float, int], None]
"""Takes a step, its seconds, and the most bytes of memory that it held."""


def grow(session: Session, *, runs: int, sizes: Sequence[int], mounts: int, split: int) -> None:
    """Measures one stack of each size over several mounts, then the largest size as `split` stacks of one mount each.

    `session.result["rows"]` has a row for each size and step: seconds and bytes of each run, and the state's size;
    `session.result["split"]` one for each stack and step. A size that failed is not tried again.
    """
    session.result |= {"mounts": mounts, "rows": [], "split": [], "stacks": split}
    for size in sizes:
        for _ in range(runs):
            with session.servers() as servers:
                declared = Declared([f"mount-{number}" for number in range(min(mounts, size))], size)
                stack = logged(servers.scratch.stack, servers.log)
                record = _recorder(session, "rows", {"roles": size})

                def part(servers: Servers = servers, stack: LoggedStack = stack, declared: Declared = declared) -> None:
                    state = _life(servers, stack, declared, record)  # noqa: B023 - called before the next round
                    _rows(session, "rows", {"roles": declared.count, "step": "create"})["state"] = state

                if not session.attempt(f"{size} roles as one stack", part):
                    break
    if split:
        _split(session, max(sizes), split)
    session.save()


def _split(session: Session, size: int, split: int) -> None:
    with session.servers() as servers:
        team = "team-00"
        stacks = []

        def stand_alone(number: int) -> tuple[LoggedStack, Declared]:
            team = f"team-{number:02}"
            file = servers.scratch.local.home / f"Pulumi.{team}.yaml"
            stack = replace(logged(servers.scratch.stack, servers.log), name=team, config_file=file)
            share = size // split + (number < size % split)
            return stack, Declared([team], share, prefix=team)

        def create_all() -> None:
            for stack, declared in stacks:
                record = _recorder(session, "split", {"stack": stack.name, "roles": declared.count})
                write_settings(stack, servers.config, declared)
                stack.ensure(create=True)
                _steps(servers, stack, declared, record, STEPS[:-1])

        def destroy_all() -> None:
            for stack, declared in stacks:
                record = _recorder(session, "split", {"stack": stack.name, "roles": declared.count})
                _steps(servers, stack, declared, record, STEPS[-1:])

        stacks = [stand_alone(number) for number in range(split)]
        session.say(f"{size} roles as {split} stacks, {team} first")
        if session.attempt(f"{size} roles as {split} stacks", create_all):
            session.attempt(f"{split} stacks destroyed", destroy_all)


def _life(servers: Servers, stack: LoggedStack, declared: Declared, record: Record) -> int:
    """A stack from nothing to nothing; gives the size of its state in bytes."""
    write_settings(stack, servers.config, declared)
    _steps(servers, stack, declared, record, STEPS[:-1])
    state = len(json.dumps(stack.state()))
    _steps(servers, stack, declared, record, STEPS[-1:])
    return state


def _steps(servers: Servers, stack: LoggedStack, declared: Declared, record: Record, steps: Sequence[str]) -> None:
    def up() -> None:
        succeed(stack, "update", update(stack, GUARDED, lambda: True))

    actions: dict[str, Callable[[], None]] = {
        "create": up,
        "preview": lambda: succeed(stack, "preview", stack.run("preview", "--diff", *GUARDED).returncode),
        "up": up,
        "refresh": lambda: succeed(stack, "refresh", stack.run("refresh", "--yes").returncode),
        "change of one role": up,
        "destroy": lambda: succeed(stack, "destroy", destroy(stack, lambda: True)),
    }
    for step in steps:
        if step == "change of one role":
            write_settings(stack, servers.config, replace(declared, changed=1))
        record(step, *watched(actions[step], servers=servers.ids))
        there = [servers.roles(mount) for mount in declared.mounts]
        wrong = any(there) if step == "destroy" else sum(count or 0 for count in there) != declared.count
        if wrong:
            raise ToolError(f"{step} left {there} roles at {', '.join(declared.mounts)}")


def _recorder(session: Session, kind: str, key: dict[str, Any]) -> Record:
    def record(step: str, took: float, held: int) -> None:
        row = _rows(session, kind, {**key, "step": step})
        row["seconds"].append(took)
        row["bytes"].append(held)
        session.say(f"{', '.join(f'{name} {value}' for name, value in key.items())}, {step}: {took:.2f} s")
        session.save()

    return record


def _rows(session: Session, kind: str, key: dict[str, Any]) -> dict[str, Any]:
    """The row of a key in the result, made if it is not there."""
    rows: list[dict[str, Any]] = session.result[kind]
    for row in rows:
        if key.items() <= row.items():
            return row
    rows.append({**key, "seconds": [], "bytes": []})
    return rows[-1]
