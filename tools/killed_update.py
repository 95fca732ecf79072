"""What a killed update leaves on this machine: its lock, plugins that go on without it, files cut short.

Where the state is a folder, each update holds a lock file that names its process
(https://www.pulumi.com/docs/iac/concepts/state-and-backends/); a process that is gone will not take it away. Its
providers outlive it by up to five minutes, since that is how often they look for the engine, and meanwhile go on with
what they were asked, retries included. And the state is a file that is replaced as a whole, but beside it stands one
of attributes (`STACK.json.attrs`) that is not: cut short, it makes the state unreadable though nothing of it is lost.
"""

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psutil
import yaml

from tools.errors import ToolError
from tools.pulumi_stack import PulumiStack

_PATIENCE = 10.0
_CONNECT_TIMEOUT = 2.0


@dataclass(frozen=True)
class Holder:
    """The process that a lock file names.

    Attributes:
        user: Its user.
        host: Its machine.
        pid: Its process id.
        since: When it took the lock.
    """

    user: str
    host: str
    pid: int
    since: datetime

    @property
    def gone(self) -> bool:
        """Whether it was a process of this machine and does not run any more."""
        if self.host != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.pid)
            # An id is given again: whoever began after the lock was taken is another process.
            return process.status() == psutil.STATUS_ZOMBIE or process.create_time() > self.since.timestamp()
        except psutil.NoSuchProcess:
            return True


def clear_up(stack: PulumiStack, say: Callable[[str], None]) -> bool:
    """Mends what an update that was killed on this machine left there: its lock, its plugins, files cut short.

    Only for a state in a folder: of one elsewhere nobody can tell from here whether its holder lives.

    Args:
        stack: The stack; Pulumi need not be able to read its state.
        say: Takes one line for each thing that was done.

    Returns:
        Whether there was anything; the state may then be behind what is there.

    Raises:
        ToolError: A living process updates the stack, or a file cannot be mended.
    """
    folder = _state_folder(stack)
    if folder is None:
        return False
    root, project = folder
    holders = list(_holders(root / "locks" / "organization" / project / stack.name, stack.name))
    for holder in holders:
        if not holder.gone:
            raise ToolError(
                f"nothing was changed: the stack {stack.name} is being updated by process {holder.pid} of "
                f"{holder.user} on {holder.host}, since {holder.since:%Y-%m-%d %H:%M}; wait for it, or, if you know "
                f"that it has ended, run `pulumi cancel --stack {stack.name}` and the same command again"
            )
    if holders:
        pids = ", ".join(str(holder.pid) for holder in holders)
        say(f"an update of the stack {stack.name} was killed (process {pids})")
        _end_plugins(stack, say)
    restored = _mend_files(root / "stacks" / project, stack.name, say)
    if holders and (cancelled := stack.run("cancel", "--yes", capture=True)).returncode:
        raise ToolError(f"its lock cannot be taken away:\n{cancelled.stderr.strip()}")
    return bool(holders) or restored


def _state_folder(stack: PulumiStack) -> tuple[Path, str] | None:
    """Where Pulumi keeps its books, and the project's name; None if the state is no folder."""
    backend = urlsplit(stack.env.get("PULUMI_BACKEND_URL", ""))
    if backend.scheme != "file":
        return None
    project = yaml.safe_load((stack.project / "Pulumi.yaml").read_text())["name"]
    return Path(unquote(backend.netloc + backend.path)).expanduser() / ".pulumi", project


def _holders(locks: Path, stack: str) -> Iterator[Holder]:
    for file in sorted(locks.glob("*.json")):
        try:
            lock: dict[str, Any] = json.loads(file.read_text())
            since = datetime.fromisoformat(lock["timestamp"])
            yield Holder(str(lock["username"]), str(lock["hostname"]), int(lock["pid"]), since)
        except FileNotFoundError:
            # Its update has ended meanwhile.
            continue
        except (ValueError, KeyError, TypeError):
            raise ToolError(
                f"the lock file {file} cannot be read, so nobody knows whose it is; see that nobody updates the stack "
                f"{stack}, delete the file, and run the same command again"
            ) from None


def _mend_files(folder: Path, stack: str, say: Callable[[str], None]) -> bool:
    """Removes attributes that are cut short, and puts the state of before in the place of one that is.

    Returns:
        Whether the state is another now.
    """
    state, before = folder / f"{stack}.json", folder / f"{stack}.json.bak"
    for attributes in (folder / f"{stack}.json.attrs", folder / f"{stack}.json.bak.attrs"):
        if attributes.exists() and not _is_whole(attributes):
            # They say no more than what the content's type is.
            attributes.unlink()
    if not state.exists() or _is_whole(state):
        return False
    if not before.exists() or not _is_whole(before):
        raise ToolError(
            f"the state file {state} is cut short, and there is no whole one from before it ({before}); restore it "
            "from your backup, or import what the stack made into an empty state (`pulumi import`)"
        )
    kept = state.with_suffix(".json.cut-short")
    state.replace(kept)
    shutil.copyfile(before, state)
    written = datetime.fromtimestamp(before.stat().st_mtime, UTC)
    say(
        f"the state file {state} is cut short; the one of before it, of {written:%Y-%m-%d %H:%M:%S} UTC, takes its "
        f"place, and what was there is kept as {kept.name}"
    )
    return True


def _is_whole(file: Path) -> bool:
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


def _end_plugins(stack: PulumiStack, say: Callable[[str], None]) -> None:
    """Ends plugins that run for this project and whose engine answers no more."""
    left = []
    for process in psutil.process_iter(["name", "cmdline", "cwd", "uids"]):
        name, words, folder = (process.info[one] for one in ("name", "cmdline", "cwd"))
        uids = process.info["uids"]
        ours = uids is not None and uids.real == os.getuid() and folder == str(stack.project.resolve())
        if ours and name.startswith("pulumi-") and words and not any(map(_answers, words[1:])):
            left.append(process)
    for process in left:
        process.terminate()
    _, alive = psutil.wait_procs(left, _PATIENCE)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, _PATIENCE)
    if left:
        say(f"ended {len(left)} plugins that it left")


def _answers(word: str) -> bool:
    """Whether a word of a command line is the address of an engine that listens."""
    host, colon, port = word.rpartition(":")
    if not colon or not port.isdecimal():
        return False
    try:
        with socket.create_connection((host, int(port)), _CONNECT_TIMEOUT):
            return True
    except (OSError, OverflowError):
        return False
