"""A copy of the project with servers of its own, in a folder that is thrown away: for tests and measurements."""

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.local_stack import LocalStack, Say
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack
from tools.toolchain import Toolchain
from tools.vault_server import find_vault

PROGRAM: Final = (
    "Pulumi.yaml",
    "Pulumi.local.yaml",
    "__main__.py",
    "components",
    "documents",
    "policies",
    "program",
    "settings",
    "shared-settings.yaml",
)
"""What the Pulumi program is made of."""


@dataclass(frozen=True)
class Scratch:
    """A copy of the project, servers on free ports of loopback, and the stack `local` on them, empty.

    Attributes:
        local: The servers; `stop` ends them.
        stack: The stack, whose program is the copy.
        started_in: The seconds that the servers took to start.
    """

    local: LocalStack
    stack: PulumiStack
    started_in: float


def start_scratch(tools: Toolchain, folder: Path, *, say: Say, more: Sequence[str] = ()) -> Scratch:
    """Copies the project and starts servers for the copy; stop them by `scratch.local.stop()`.

    Args:
        tools: The toolchain, with the AWS engine where there is no `vault`.
        folder: A folder, new or empty.
        say: Takes one line for each thing worth knowing.
        more: What of the project to copy besides its Pulumi program.

    Raises:
        ToolError: A server did not start, or Pulumi refuses; nothing runs then.
    """
    project = folder / "project"
    project.mkdir(parents=True)
    for name in (*PROGRAM, *more):
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, project / name)
    (project / ".venv").symlink_to(PROJECT / ".venv")
    local = LocalStack(folder / "home")
    started = time.monotonic()
    local.start(vault=find_vault(os.environ), engine_plugin=tools.engine_plugin, say=say, ports={"vault": 0, "aws": 0})
    started_in = time.monotonic() - started
    try:
        stack = PulumiStack("local", tools.env(os.environ) | local.environment(), local.config_file, project)
        stack.ensure(create=True)
    except BaseException:
        local.stop()
        raise
    return Scratch(local, stack, started_in)
