"""Server processes that outlive the command that starts them, known by id and start time."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tools.errors import ToolError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Server:
    """A server that was started.

    Attributes:
        name: What it is, for messages.
        url: Where it answers.
        pid: Its process id.
        started: When the process began; with the id it names one process, though ids are used again.
    """

    name: str
    url: str
    pid: int
    started: float

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.started and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def stop(self, patience: float = 10.0) -> None:
        """Ends the process, if it is still that one: asks first, and insists after `patience` seconds.

        Raises:
            ToolError: It does not end.
        """
        for ask in (psutil.Process.terminate, psutil.Process.kill):
            if not self.alive:
                return
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(self.pid)
                ask(process)
                self._wait(process, patience)
        if self.alive:
            raise ToolError(f"{self.name}, process {self.pid}, does not end; end it yourself: kill -9 {self.pid}")

    def _wait(self, process: psutil.Process, patience: float) -> None:
        # One that has ended stays in the system's table until its parent asks for it, which in a container nobody may.
        deadline = time.monotonic() + patience
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.05)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(0)


def start_server(
    name: str, url: str, command: Sequence[str], *, log: Path, cwd: Path, env: Mapping[str, str] | None = None
) -> Server:
    """Starts a server in a session of its own, its output in a log that only its owner may read."""
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=None if env is None else dict(env),
            start_new_session=True,
        )
    return Server(name, url, process.pid, psutil.Process(process.pid).create_time())


def wait_until_ready(server: Server, ready: Callable[[], bool], *, log: Path, deadline: float = 60.0) -> None:
    """Waits until a server answers.

    Raises:
        ToolError: It ended, or did not answer within `deadline` seconds; the message holds its last words.
    """
    until = time.monotonic() + deadline
    while not ready():
        if not server.alive:
            raise ToolError(f"{server.name} ended while it started:\n{_last_words(log)}")
        if time.monotonic() > until:
            server.stop()
            raise ToolError(
                f"{server.name} did not answer at {server.url} within {deadline:.0f} s:\n{_last_words(log)}"
            )
        time.sleep(0.05)


def choose_port(preferred: int, say: Callable[[str], None], name: str) -> int:
    """The preferred port of loopback, or a free one if another process has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, preferred))
        except OSError:
            probe.close()
        else:
            return int(probe.getsockname()[1])
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = int(probe.getsockname()[1])
    say(f"port {preferred} is in use by another program; {name} takes {port}")
    return port


def _last_words(log: Path, lines: int = 12) -> str:
    text = log.read_text(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in text[-lines:]) or "  (it said nothing)"
