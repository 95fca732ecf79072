"""Builds command-line tools from Go modules into a cache, once for each content of their sources."""

import contextlib
import fcntl
import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.errors import ToolError

GO_MINIMUM: Final = (1, 26)
GO_INSTALL: Final = "https://go.dev/doc/install"
OUTPUT_LINES: Final = 15
"""How much of what a failed compiler printed is shown."""


class ToolchainError(ToolError):
    """A tool that is needed is missing and cannot be built."""


@dataclass(frozen=True)
class Tool:
    """One thing to build: a Go module and what comes out of it.

    Attributes:
        name: What the user knows it by.
        version: What it calls itself.
        instead: What to install so that it need not be built.
        module: The folder of its Go module.
        binaries: For each binary, its file name and the Go package that it is made of.
        stamps: The Go variables that are set to the version.
        shared: Folders of other modules that go into it, which its go.mod points at.
        scripts: For each script that belongs beside the binaries, the Go module and the path in it.
    """

    name: str
    version: str
    instead: str
    module: Path
    binaries: tuple[tuple[str, str], ...]
    stamps: tuple[str, ...] = ()
    shared: tuple[Path, ...] = ()
    scripts: tuple[tuple[str, str], ...] = ()

    def key(self, platform: str) -> str:
        """Give the name of the folder that holds this tool's build.

        Args:
            platform: The Go version and the kind of machine.

        Returns:
            The module's name and a digest of all that the build depends on.
        """
        digest = hashlib.sha256(f"{platform}\n{self.scripts}\n{list(self.commands(Path('bin')))}\n".encode())
        for folder in (self.module, *self.shared):
            for path in sorted(folder.rglob("*")):
                if path.name in {"go.mod", "go.sum"} or path.suffix == ".go":
                    name, content = path.relative_to(folder).as_posix(), path.read_bytes()
                    digest.update(f"{folder.name}/{name}\n{len(content)}\n".encode() + content)
        return f"{self.module.name}-{digest.hexdigest()[:16]}"

    def commands(self, target: Path) -> Iterator[list[str]]:
        """Give the commands that build this tool, to be run in its module's folder.

        Args:
            target: The folder for the binaries.

        Yields:
            One `go build` for each binary.
        """
        # -s and -w leave out what only a debugger reads; tracebacks stay whole.
        flags = " ".join(["-s", "-w", *(f"-X {variable}={self.version}" for variable in self.stamps)])
        build = ["go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", flags]
        for binary, package in self.binaries:
            yield [*build, "-o", str(target / binary), package]


def provide(tools: Sequence[Tool], *, environ: Mapping[str, str], say: Callable[[str], None]) -> dict[Tool, Path]:
    """Build those of the given tools that are not in the cache yet.

    Two processes that want the same tool build it once, and a build that is interrupted leaves nothing that could be
    taken for a whole one.

    Args:
        tools: What is needed.
        environ: The environment, with which Go is run; its own settings are respected.
        say: Takes lines of progress: what was built, and how long it took. Nothing is said where nothing is built.

    Returns:
        For each tool the folder that its binaries are in.

    Raises:
        ToolchainError: There is no Go, it is too old, or a build failed.
    """
    if not tools:
        return {}
    platform = go_platform(tools, environ)
    folders = {tool: cache_folder(environ) / tool.key(platform) for tool in tools}
    for tool, folder in folders.items():
        if not folder.is_dir():
            build(tool, folder, environ=environ, say=say)
    return {tool: folder / "bin" for tool, folder in folders.items()}


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Give the folder that holds the builds, which need not exist.

    Args:
        environ: The environment; `VAULT_AWS_CACHE` goes before the platform's own cache folder.

    Returns:
        An absolute path.

    Raises:
        ToolchainError: The user has no home folder.
    """
    try:
        if named := environ.get("VAULT_AWS_CACHE"):
            return Path(named).expanduser().absolute() / "toolchain"
        if sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            xdg = Path(environ.get("XDG_CACHE_HOME", ""))
            # The XDG base directory specification has relative paths ignored.
            base = xdg if xdg.is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        raise ToolchainError(
            "there is no home folder to keep built tools in; set HOME, or VAULT_AWS_CACHE to a folder, in full"
        ) from None
    return base / "vault-aws" / "toolchain"


def go_platform(tools: Sequence[Tool], environ: Mapping[str, str]) -> str:
    """Ask Go for its version and platform, which go into the key of every build.

    Args:
        tools: What is to be built.
        environ: The environment.

    Returns:
        For example `go1.26.8 linux amd64`.

    Raises:
        ToolchainError: There is no Go, or it is too old; the text names what to install.
    """
    needed = ".".join(map(str, GO_MINIMUM))
    missing = ", ".join(tool.name for tool in tools)
    instead = " and ".join(dict.fromkeys(tool.instead for tool in tools))
    way_out = f"install {instead}, or install Go {needed} or later ({GO_INSTALL}) to build what is missing ({missing})"
    go = shutil.which("go", path=environ.get("PATH", ""))
    if go is None:
        raise ToolchainError(f"tools are missing, and there is no Go to build them: {way_out}")
    # Run inside a module, so that a Go which fetches the toolchain that go.mod asks for names that one.
    command = [go, "env", "-json", "GOVERSION", "GOOS", "GOARCH"]
    folder, env = tools[0].module, go_environment(environ)
    asked = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        said = last_lines(asked.stderr, 1)
        raise ToolchainError(f"tools are missing, and {go} cannot build them ({said}): {way_out}")
    answer = json.loads(asked.stdout)
    version = re.search(r"go(\d+)\.(\d+)", answer["GOVERSION"])
    if version is None or tuple(map(int, version.groups())) < GO_MINIMUM:
        old = answer["GOVERSION"]
        raise ToolchainError(f"tools are missing, and {go} is too old to build them ({old}): {way_out}")
    return f"{answer['GOVERSION']} {answer['GOOS']} {answer['GOARCH']}"


def build(tool: Tool, folder: Path, *, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Build one tool, unless another process has done so by the time that it is this one's turn.

    Args:
        tool: What to build.
        folder: Where its build belongs; the folder appears whole or not at all.
        environ: The environment for Go.
        say: Takes lines of progress.

    Raises:
        ToolchainError: The build failed; the text holds the command and the end of what it printed.
    """
    cache, name = folder.parent, tool.module.name
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / f".{name}.lock", lambda: say(f"waiting for another run that builds {tool.name}")):
        if folder.is_dir():
            return
        # Whoever holds the lock is alone, so what lies here was left by a build that was killed.
        for stale in cache.glob(f".{name}-*.partial"):
            shutil.rmtree(stale, ignore_errors=True)
        say(f"building {tool.name} {tool.version} from Go modules; a first build takes minutes")
        started = time.monotonic()
        # Never the same name twice: a compiler that outlived its killed parent must not write into this build.
        with tempfile.TemporaryDirectory(prefix=f".{name}-", suffix=".partial", dir=cache) as partial:
            whole = Path(partial) / "whole"
            (whole / "bin").mkdir(parents=True)
            for command in tool.commands(whole / "bin"):
                run_go(tool, command, environ)
            for module, script in tool.scripts:
                copy_script(tool, module, script, whole / "bin", environ)
            whole.rename(folder)
        say(f"built {tool.name} {tool.version} in {duration(time.monotonic() - started)}")


def copy_script(tool: Tool, module: str, script: str, target: Path, environ: Mapping[str, str]) -> None:
    """Copy a script out of a Go module that the tool is built from, so that the two are of one version."""
    where = run_go(tool, ["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module], environ).strip()
    copy = target / Path(script).name
    shutil.copyfile(Path(where) / script, copy)
    copy.chmod(0o755)


def run_go(tool: Tool, command: list[str], environ: Mapping[str, str]) -> str:
    """Run one Go command in the tool's module and give its output; one that fails is a ToolchainError."""
    env = go_environment(environ)
    done = subprocess.run(command, cwd=tool.module, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolchainError(
            f"could not build {tool.name} {tool.version}: in {tool.module} this ended with code {done.returncode}:\n"
            f"  {shlex.join(command)}\n{last_lines(done.stderr or done.stdout, OUTPUT_LINES)}"
        )
    return done.stdout


def go_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Give Go's environment: the user's, without a workspace file that would override the pinned versions."""
    return {**environ, "GOWORK": "off"}


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a file's lock, which the system drops with the process; `waiting` is called if another process has it."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def duration(seconds: float) -> str:
    """Give a time as people say it: `4 min 21 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def last_lines(text: str, count: int) -> str:
    """Give the end of a command's output."""
    return "\n".join(text.strip().splitlines()[-count:])
