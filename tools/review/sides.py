"""A stack's settings and documents on both sides of a change: as they are here, and where the change began.

What stands in the commit is data. It is read by the program that is here, and nothing of it is run.
"""

import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from documents.stack import StackDocuments, read_stack
from settings.faults import FaultsError
from settings.files import config_of
from settings.place import partition_of
from settings.shared import with_shared
from tools.errors import ToolError

_STACK = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_HERE = "the working tree"


@dataclass(frozen=True)
class Side:
    """A stack on one side of a change.

    Attributes:
        documents: Its settings and the documents that they name.
        config: Its configuration by full key, merged with what it shares.
    """

    documents: StackDocuments
    config: Mapping[str, Any]

    @property
    def place(self) -> dict[str, str]:
        """Its partition and account; `${account}` where no single one is pinned."""
        accounts = self.documents.accounts
        account = accounts[0] if len(accounts) == 1 else "${account}"
        return {"partition": partition_of(self.documents.settings.region), "account": account}


@dataclass(frozen=True)
class Sides:
    """A stack before and after a change.

    Attributes:
        stack: Its name.
        base: The branch, tag or commit that was named.
        commit: The commit at which the change began, short.
        before: The stack there; None if there was none.
        after: The stack in the working tree; None if there is none any more.
    """

    stack: str
    base: str
    commit: str
    before: Side | None
    after: Side | None


def read_sides(stack: str, base: str, project: Path, today: date | None = None) -> Sides:
    """Reads a stack on both sides.

    The change began where the working tree's branch parted from `base`, so that what others have merged since then is
    no part of it. What held on that commit's day, such as an exemption, holds for that side.

    Args:
        stack: The stack's name.
        base: A branch, tag or commit.
        project: The project's folder, in a git work tree.
        today: The day on which the working tree is judged; by default today's, in UTC.

    Raises:
        ToolError: There is no such commit or stack, or git does not do it.
        UnreadableError: Either side has faults; each names its side.
    """
    if not _STACK.fullmatch(stack):
        raise ToolError(f"STACK={stack}: is not a stack's name; name one such as prod, for Pulumi.prod.yaml")
    commit = _merge_base(base, project)
    day = datetime.fromtimestamp(int(_git(project, "show", "-s", "--format=%ct", commit)), UTC).date()
    shown = f"{base} ({commit[:12]})"
    faults = []
    sides: list[Side | None] = []
    with tempfile.TemporaryDirectory(prefix="review-") as folder:
        _unpack(commit, project, Path(folder), shown)
        for where, root, on in ((shown, Path(folder), day), (_HERE, project, today)):
            try:
                sides.append(_read(stack, root, on))
            except FaultsError as error:
                sides.append(None)
                faults += [f"{where}: {fault}" for fault in error.faults]
        if not faults and sides == [None, None]:
            names = sorted({*_stacks(Path(folder)), *_stacks(project)})
            raise ToolError(
                f"STACK={stack}: there is no Pulumi.{stack}.yaml in {shown} or in {_HERE}; "
                f"the stacks are {', '.join(names)}"
            )
    if faults:
        raise UnreadableError(stack, tuple(faults))
    return Sides(stack, base, commit[:12], *sides)


class UnreadableError(ToolError):
    """A side of a change has faults, so that nothing can be said of the change.

    Attributes:
        stack: The stack's name.
        faults: The faults, each with its side.
    """

    def __init__(self, stack: str, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(("nothing can be said of the change; mend these first:", *faults)))
        self.stack = stack
        self.faults = faults


def _read(stack: str, root: Path, today: date | None) -> Side | None:
    path = root / f"Pulumi.{stack}.yaml"
    if not path.exists():
        return None
    config = with_shared(config_of(path), stack, path.name, root)
    return Side(read_stack(config, stack, folder=root / "policies", today=today), config)


def _stacks(root: Path) -> set[str]:
    return {path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml")}


def _merge_base(base: str, project: Path) -> str:
    try:
        commit = _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    except ToolError:
        raise ToolError(
            f"BASE={base}: git has no such branch, tag or commit here; name one, or fetch it first "
            "(a pipeline's checkout needs the whole history)"
        ) from None
    try:
        return _git(project, "merge-base", commit, "HEAD")
    except ToolError:
        raise ToolError(
            f"BASE={base}: git knows no commit from which both it and HEAD come; fetch the history: "
            "git fetch --unshallow"
        ) from None


def _unpack(commit: str, project: Path, folder: Path, shown: str) -> None:
    """Lays the project's files of a commit into a folder, and nothing outside it."""
    packed = _run(project, "archive", "--format=tar", commit)
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise ToolError(f"the files of {shown} cannot be unpacked: {' '.join(str(error).split())}") from None


def _git(project: Path, *words: str) -> str:
    return _run(project, *words).decode(errors="replace").strip()


def _run(project: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", *words], cwd=project, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise ToolError(
            f"git cannot be run: {error.strerror}; a review compares with a commit, so install git"
        ) from None
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise ToolError(f"git {words[0]} failed: {said}")
    return done.stdout
