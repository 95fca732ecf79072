"""Which tools are used, and how those that are missing get built: with real files, processes and a small Go module."""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import pytest

from tools.go_tools import Tool, cache_folder, go_platform, provide
from tools.toolchain import CLI, ENGINE, PROVIDERS, Toolchain, ToolchainError, find

PROJECT = Path(__file__).resolve().parents[2]
Start = Callable[[Tool, dict[str, str]], subprocess.Popen[str]]
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")


def executable(path: Path, script: str = "exit 1") -> Path:
    """Make a small program: in a PATH that a test makes up it stands for the real one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """A tool that takes a moment to build: it prints its version."""
    module = tmp_path / "sources" / "hello"
    (module / "scripts").mkdir(parents=True)
    (module / "go.mod").write_text("module hello\n\ngo 1.26\n")
    (module / "main.go").write_text('package main\n\nvar version = "none"\n\nfunc main() { println(version) }\n')
    (module / "scripts" / "greet").write_text("#!/bin/sh\necho hello\n")
    return Tool(
        name="hello",
        version="1.2.3",
        instead="Hello (https://hello.example)",
        module=module,
        binaries=(("hello", "."),),
        stamps=("main.version",),
        scripts=(("hello", "scripts/greet"),),
    )


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment with a cache of the test's own."""
    return {**os.environ, "VAULT_AWS_CACHE": str(tmp_path / "cache")}


def builds(environ: dict[str, str]) -> list[str]:
    """What the cache holds but for the locks."""
    folder = cache_folder(environ)
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []


class TestFind:
    """Whose tools are used."""

    def test_a_pulumi_on_path_is_used_as_it_is(self, tmp_path: Path) -> None:
        path = str(executable(tmp_path / "bin" / "pulumi").parent)
        said: list[str] = []
        found = find(need_engine=False, environ={"PATH": path}, say=said.append)
        assert found == Toolchain(bin_dirs=(), engine_plugin=None, built=False)
        assert found.env({"PATH": path, "A": "b"}) == {"PATH": path, "A": "b"}
        assert said == []

    def test_a_pulumi_that_cannot_be_run_is_none(self, tmp_path: Path) -> None:
        executable(tmp_path / "bin" / "pulumi").chmod(0o644)
        with pytest.raises(ToolchainError, match="there is no Go"):
            find(need_engine=False, environ={"PATH": str(tmp_path / "bin")})

    def test_neither_pulumi_nor_go(self, tmp_path: Path) -> None:
        with pytest.raises(ToolchainError) as error:
            find(need_engine=False, environ={"PATH": str(tmp_path)})
        assert str(error.value) == (
            "tools are missing, and there is no Go to build them: install the Pulumi CLI "
            "(https://www.pulumi.com/docs/install/), or install Go 1.26 or later (https://go.dev/doc/install) to build "
            "what is missing (pulumi, pulumi-resource-vault, pulumi-resource-aws)"
        )

    def test_with_pulumi_but_neither_vault_nor_go(self, tmp_path: Path) -> None:
        executable(tmp_path / "pulumi")
        with pytest.raises(ToolchainError) as error:
            find(need_engine=True, environ={"PATH": str(tmp_path)})
        assert "install HashiCorp Vault (https://developer.hashicorp.com/vault/install), or" in str(error.value)
        assert "Pulumi CLI" not in str(error.value)

    def test_without_anything_both_are_named(self, tmp_path: Path) -> None:
        with pytest.raises(ToolchainError, match=r"the Pulumi CLI \(\S+\) and HashiCorp Vault \(\S+\), or"):
            find(need_engine=True, environ={"PATH": str(tmp_path)})

    def test_a_build_can_be_asked_for(self, tmp_path: Path) -> None:
        executable(tmp_path / "pulumi")
        with pytest.raises(ToolchainError, match="there is no Go"):
            find(need_engine=False, environ={"PATH": str(tmp_path), "VAULT_AWS_TOOLCHAIN": "build"})

    def test_nothing_else_can_be_asked_for(self, tmp_path: Path) -> None:
        with pytest.raises(ToolchainError, match="VAULT_AWS_TOOLCHAIN is 'own': set it to 'build'"):
            find(need_engine=False, environ={"PATH": str(tmp_path), "VAULT_AWS_TOOLCHAIN": "own"})

    def test_our_own_build_on_path_is_not_the_users(self, tmp_path: Path) -> None:
        environ = {"VAULT_AWS_CACHE": str(tmp_path / "cache")}
        built = executable(cache_folder(environ) / "cli-old" / "bin" / "pulumi")
        link = tmp_path / "bin" / "pulumi"
        link.parent.mkdir()
        link.symlink_to(built)
        for path in (built.parent, link.parent):
            with pytest.raises(ToolchainError, match="there is no Go"):
                find(need_engine=False, environ={**environ, "PATH": str(path)})

    def test_built_tools_come_first_on_path(self) -> None:
        toolchain = Toolchain(bin_dirs=(Path("/c/a"), Path("/c/b")), engine_plugin=None, built=True)
        base = {"PATH": "/usr/bin", "HOME": "/h"}
        assert toolchain.env(base) == {"PATH": "/c/a:/c/b:/usr/bin", "HOME": "/h"}
        assert toolchain.env({}) == {"PATH": "/c/a:/c/b"}
        assert base == {"PATH": "/usr/bin", "HOME": "/h"}


class TestVersions:
    """What is pinned in more than one place is pinned alike."""

    def test_the_cli_is_that_of_the_python_package(self) -> None:
        go_mod = (CLI.module / "go.mod").read_text()
        pinned = set(re.findall(r"github.com/pulumi/pulumi/(?:pkg|sdk)/v3 (v\S+)", go_mod))
        assert pinned == {f"v{CLI.version}"} == {f"v{version('pulumi')}"}

    def test_the_engine_is_the_last_under_the_mpl(self) -> None:
        go_mod = (ENGINE.module / "go.mod").read_text()
        assert f"\tgithub.com/hashicorp/vault v{ENGINE.version} " in go_mod
        assert ENGINE.version == "1.14.8"

    @pytest.mark.parametrize("tool", [CLI, *PROVIDERS, ENGINE], ids=lambda tool: str(tool.name))
    def test_every_module_is_pinned(self, tool: Tool) -> None:
        assert (tool.module / "go.sum").stat().st_size > 0
        assert all(folder.is_dir() for folder in tool.shared)


class TestGo:
    """A Go that cannot build the tools is refused before anything is built."""

    def test_one_that_is_too_old(self, tmp_path: Path, tool: Tool) -> None:
        executable(tmp_path / "go", """echo '{"GOVERSION": "go1.25.9", "GOOS": "linux", "GOARCH": "amd64"}'""")
        with pytest.raises(ToolchainError, match=r"too old to build them \(go1.25.9\): install Hello"):
            go_platform([tool], {"PATH": str(tmp_path)})

    def test_one_that_refuses_the_module(self, tmp_path: Path, tool: Tool) -> None:
        executable(tmp_path / "go", "echo 'go: go.mod requires go >= 1.26' >&2; exit 1")
        with pytest.raises(ToolchainError, match=r"cannot build them \(go: go.mod requires go >= 1.26\): install"):
            go_platform([tool], {"PATH": str(tmp_path)})


class TestCacheFolder:
    """Where builds are kept."""

    def test_its_own_setting_goes_first(self) -> None:
        environ = {"VAULT_AWS_CACHE": "/a", "XDG_CACHE_HOME": "/b"}
        assert cache_folder(environ) == Path("/a/toolchain")

    @pytest.mark.skipif(sys.platform == "darwin", reason="XDG is not for macOS")
    def test_the_users_cache(self) -> None:
        default = Path.home() / ".cache" / "vault-aws" / "toolchain"
        assert cache_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/vault-aws/toolchain")
        assert cache_folder({}) == cache_folder({"XDG_CACHE_HOME": "relative"}) == default

    @pytest.mark.parametrize("environ", [{}, {"VAULT_AWS_CACHE": "~nobody-of-this-name/cache"}])
    def test_a_user_without_a_home(self, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        def nobody(uid: int) -> NoReturn:
            raise KeyError(uid)

        monkeypatch.delenv("HOME")
        monkeypatch.setattr(pwd, "getpwuid", nobody)
        with pytest.raises(ToolchainError, match="there is no home folder to keep built tools in; set HOME, or "):
            cache_folder(environ)


@needs_go
class TestProvide:
    """Building what is missing."""

    def test_builds_once(self, tool: Tool, environ: dict[str, str]) -> None:
        said: list[str] = []
        folder = provide([tool], environ=environ, say=said.append)[tool]
        assert said[0] == "building hello 1.2.3 from Go modules; a first build takes minutes"
        assert re.fullmatch(r"built hello 1\.2\.3 in \d+ s", said[1])
        done = subprocess.run([folder / "hello"], capture_output=True, text=True, check=True)
        assert done.stderr == "1.2.3\n"
        assert subprocess.run([folder / "greet"], capture_output=True, check=False).stdout == b"hello\n"
        assert provide([tool], environ=environ, say=said.append) == {tool: folder}
        assert len(said) == 2

    def test_a_workspace_of_the_users_changes_nothing(
        self, tool: Tool, environ: dict[str, str], tmp_path: Path
    ) -> None:
        workspace = tmp_path / "go.work"
        workspace.write_text("go 1.26\n\nuse ./nowhere\n")
        assert provide([tool], environ={**environ, "GOWORK": str(workspace)}, say=print)

    def test_each_content_has_a_key_of_its_own(self, tool: Tool) -> None:
        keys = [tool.key("go1.26 linux amd64"), tool.key("go1.26 linux arm64")]
        for name in ("main.go", "go.mod", "go.sum", "inner/other.go"):
            path = tool.module / name
            path.parent.mkdir(exist_ok=True)
            with path.open("a") as file:
                file.write("\n")
            keys.append(tool.key("go1.26 linux amd64"))
        assert len(set(keys)) == len(keys)
        (tool.module / "notes.md").write_text("not built")
        assert tool.key("go1.26 linux amd64") == keys[-1]

    def test_a_change_rebuilds_that_tool_alone(self, tool: Tool, environ: dict[str, str]) -> None:
        said: list[str] = []
        other = Tool(
            name="other",
            version="1",
            instead="",
            module=Path(shutil.copytree(tool.module, tool.module.parent / "other")),
            binaries=tool.binaries,
        )
        provide([tool, other], environ=environ, say=said.append)
        (other.module / "more.go").write_text("package main\n")
        provide([tool, other], environ=environ, say=said.append)
        built = [line.split()[1] for line in said if line.startswith("built ")]
        assert built == ["hello", "other", "other"]

    def test_a_shared_folder_counts(self, tool: Tool) -> None:
        shared = tool.module.parent / "shared"
        shared.mkdir()
        sharing = Tool(name="s", version="1", instead="", module=tool.module, binaries=(), shared=(shared,))
        before = sharing.key("go")
        (shared / "shared.go").write_text("package shared\n")
        assert sharing.key("go") != before

    def test_a_failed_build_says_why_and_leaves_nothing(self, tool: Tool, environ: dict[str, str]) -> None:
        (tool.module / "main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
        with pytest.raises(ToolchainError) as error:
            provide([tool], environ=environ, say=print)
        assert str(error.value).startswith(f"could not build hello 1.2.3: in {tool.module} this ended with code 1:")
        assert "\n  go build -trimpath" in str(error.value)
        assert "undefined: nonsense" in str(error.value)
        assert builds(environ) == []


def in_a_process(tool: Tool, environ: dict[str, str]) -> subprocess.Popen[str]:
    """Start another process that wants the tool; what it says is in a file `said-PID` beside the cache."""
    program = f"""
import os, signal
from pathlib import Path, PosixPath
from tools.go_tools import Tool, provide

# Whoever runs the tests in the background may have them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
with Path(os.environ["VAULT_AWS_CACHE"]).with_name(f"said-{{os.getpid()}}").open("w") as said:
    provide([{tool!r}], environ=os.environ, say=lambda line: print(line, file=said, flush=True))
"""
    command = [sys.executable, "-c", program]
    return subprocess.Popen(
        command, cwd=PROJECT, env=environ, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@needs_go
class TestAtOnce:
    """Builds beside each other, and builds that are cut off."""

    @pytest.fixture
    def slow(self, tmp_path: Path, environ: dict[str, str]) -> dict[str, str]:
        """An environment whose Go takes its time: a build writes half a file and waits until `go-on` is there."""
        go = shutil.which("go")
        script = f"""
[ "$1" = build ] || exec {go} "$@"
for word; do [ "$last" = -o ] && half=$word; last=$word; done
echo half >"$half"
touch {tmp_path}/started
until [ -e {tmp_path}/go-on ]; do sleep 0.05; done
rm "$half"
exec {go} "$@"
"""
        folder = executable(tmp_path / "slow" / "go", script).parent
        return {**environ, "PATH": f"{folder}{os.pathsep}{environ['PATH']}"}

    @pytest.fixture
    def run(self) -> Iterator[Start]:
        """Starts processes, and ends with the test what they left."""
        started: list[subprocess.Popen[str]] = []

        def start(tool: Tool, environ: dict[str, str]) -> subprocess.Popen[str]:
            started.append(in_a_process(tool, environ))
            return started[-1]

        yield start
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def test_two_processes_build_once(self, tool: Tool, slow: dict[str, str], tmp_path: Path, run: Start) -> None:
        first = run(tool, slow)
        wait_for((tmp_path / "started").exists)
        second = run(tool, slow)
        said = [tmp_path / f"said-{process.pid}" for process in (first, second)]
        wait_for(lambda: said[1].exists() and said[1].read_text() == "waiting for another run that builds hello\n")
        (tmp_path / "go-on").touch()
        assert [process.wait(timeout=60) for process in (first, second)] == [0, 0]
        assert "\nbuilt hello" in said[0].read_text()
        assert said[1].read_text() == "waiting for another run that builds hello\n"

    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
    def test_an_interrupted_build_leaves_nothing_to_use(
        self, how: signal.Signals, tool: Tool, slow: dict[str, str], tmp_path: Path, run: Start
    ) -> None:
        process = run(tool, slow)
        wait_for((tmp_path / "started").exists)
        os.killpg(process.pid, how)
        assert process.wait(timeout=60) != 0
        left = [name for name in builds(slow) if name.startswith(".")]
        assert builds(slow) == left
        assert len(left) == (0 if how == signal.SIGINT else 1)

        (tmp_path / "go-on").touch()
        folder = provide([tool], environ=slow, say=print)[tool]
        assert subprocess.run([folder / "hello"], check=False).returncode == 0
        assert builds(slow) == [folder.parent.name]
