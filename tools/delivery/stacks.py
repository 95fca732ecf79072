"""Which stacks a change touches, so that a pull request previews these and no others."""

import subprocess
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from documents.stack import read_stack
from settings.faults import FaultsError
from settings.files import stack_of
from settings.load import read_config
from settings.place import LOCAL
from tools.errors import ToolError
from tools.paths import PROJECT

# What no stack is made from, whatever its kind.
_NOT_THE_STACKS = (".ci", ".github", "bootstrap", "docs", "tests", "tools")


def changed_stacks(base: str, project: Path = PROJECT) -> list[str]:
    """The stacks whose result a change may alter; the local one is nobody's environment.

    A stack's own file touches that stack, a policy document the stacks that name it, and all that they have in common,
    such as the program or the shared settings, touches every one. A stack whose settings cannot be read counts as
    touched by any document, so that its faults are seen.

    Args:
        base: The commit to compare with; what counts is what came since the two parted.
        project: The folder of the project.

    Raises:
        ToolError: There is no such commit.
        FaultsError: A file of a stack has the name of none.
    """
    done = subprocess.run(
        ["git", "diff", "--name-only", "--no-renames", "-z", "--end-of-options", f"{base}...HEAD", "--"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"base {base!r}: {done.stderr.strip()}; name a branch or commit that this clone has")
    files = {stack_of(path): path for path in project.glob("Pulumi.*.yaml")}
    names = [PurePosixPath(name) for name in done.stdout.split("\0") if name]
    return sorted(stack for stack, path in files.items() if stack != LOCAL and _touched(names, path, stack))


def _touched(names: Iterable[PurePosixPath], path: Path, stack: str) -> bool:
    return any(_touches(name, path, stack) for name in names)


def _touches(name: PurePosixPath, path: Path, stack: str) -> bool:
    if name.parts[0] == "policies":
        return name.suffix == ".json" and _names(path, stack, str(name))
    if len(name.parts) == 1:
        if name.suffix == ".md" or name.name == "Makefile" or name.name.startswith("."):
            return False
        return not name.match("Pulumi.*.yaml") or name.name == path.name
    return name.parts[0] not in _NOT_THE_STACKS


def _names(path: Path, stack: str, document: str) -> bool:
    try:
        read = read_stack(read_config(path), stack)
    except FaultsError:
        return True
    return document in {one.path for one in (*read.policies.values(), *read.boundaries.values())}
