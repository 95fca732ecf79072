"""Both servers of a world, each behind a door at which a test may stand."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from tests.e2e.conftest import World
from tests.e2e.interceptor import CUT, Act, Answer, Asked, Cut, intercepted
from tools.paths import PROJECT

Moment = Literal["before", "after"]
"""When a process is killed: before the server has a request, or once it is done and not answered."""

UP = ("up", "--yes", "--skip-preview", "--non-interactive")
DESTROY = ("destroy", "--yes", "--skip-preview", "--non-interactive")


def pass_on(_asked: Asked) -> None:
    """Lets a request pass."""


@dataclass
class Doors:
    """What stands between Pulumi and the servers; Vault's own way to AWS leads past it.

    Attributes:
        before: Called with each request before the server has it.
        after: Called with each request once it is done.
        seen: The changing requests that came, by name, each once.
    """

    before: Act = pass_on
    after: Act = pass_on
    seen: list[str] = field(default_factory=list)

    def _before(self, asked: Asked) -> Answer | Cut | None:
        if asked.changes and asked.name not in self.seen:
            self.seen.append(asked.name)
        return self.before(asked)

    def _after(self, asked: Asked) -> Answer | Cut | None:
        return self.after(asked)

    def open(self) -> None:
        """Lets everything pass again."""
        self.before = self.after = pass_on

    @contextmanager
    def hanging(self, which: Callable[[Asked], bool]) -> Iterator[None]:
        """Leaves requests without an answer, as long as the block lasts."""
        over = threading.Event()

        def hang(asked: Asked) -> Cut | None:
            if not which(asked):
                return None
            over.wait()
            return CUT

        self.before = hang
        try:
            yield
        finally:
            over.set()
            self.open()

    def kill_at(self, world: World, name: str, moment: Moment, words: tuple[str, ...]) -> None:
        """Runs Pulumi and kills it (-9) at a request; nothing passes the doors from then on.

        Raises:
            AssertionError: The request never came.
        """
        shut = False

        def cut(asked: Asked) -> Cut | None:
            nonlocal shut
            if not shut and asked.changes and asked.name == name:
                shut = True
                os.kill(process.pid, signal.SIGKILL)
            return CUT if shut else None

        def cut_first(asked: Asked) -> Cut | None:
            return cut(asked) if moment == "before" or shut else None

        self.before, self.after = cut_first, cut
        process = start(world, *words)
        output, _ = process.communicate()
        assert shut, f"{name} never came:\n{output}"
        assert process.returncode == -signal.SIGKILL


def start(world: World, *words: str) -> subprocess.Popen[str]:
    """Starts Pulumi as `make` does, on the project itself."""
    world.write()
    command = ["pulumi", *words, "--stack", world.stack.name, "--config-file", str(world.local.config_file)]
    return subprocess.Popen(
        command,
        cwd=PROJECT,
        env=world.stack.command_env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def doors(world: World) -> Iterator[Doors]:
    """Leads the stack's providers through doors, as long as the block lasts."""
    made = Doors()
    vault, aws = world.env["VAULT_ADDR"], world.env["AWS_ENDPOINT_URL"]
    direct = {key: world.config[key] for key in ("vault:address", "aws:endpoints")}
    with (
        intercepted(vault, before=made._before, after=made._after) as to_vault,
        intercepted(aws, before=made._before, after=made._after) as to_aws,
    ):
        [endpoints] = world.config["aws:endpoints"]
        world.config |= {"vault:address": to_vault, "aws:endpoints": [dict.fromkeys(endpoints, to_aws)]}
        try:
            yield made
        finally:
            made.open()
            world.config |= direct
