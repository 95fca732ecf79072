"""The embedded servers: started once, noticed when they die, stopped by process id."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import World, run_tools
from tools import toolchain
from tools.local_stack import LocalStack
from tools.paths import PROJECT
from tools.processes import Server
from tools.vault_server import find_vault

pytestmark = pytest.mark.e2e


def test_up_again_after_a_reboot_and_down(tmp_path: Path, tools: toolchain.Toolchain) -> None:
    home = tmp_path / "home"
    try:
        first = run_tools(home, "up")
        assert first.returncode == 0, first.stdout + first.stderr
        assert first.stdout.count("│ ok │") == 4
        assert "✅ vault-aws@v1.0.0" in first.stdout
        assert not (PROJECT / "Pulumi.local.yaml").read_text().count("encryptionsalt")

        second = run_tools(home, "up")
        assert second.returncode == 0, second.stdout + second.stderr
        assert "unchanged" in second.stdout
        assert "created" not in second.stdout

        status = run_tools(home, "status")
        assert (status.returncode, status.stdout.count("  runs")) == (0, 2)

        for server in LocalStack(home).servers:
            # A reboot ends what a server started as well.
            ended = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
            for process in ended:
                process.kill()
            psutil.wait_procs(ended, 10)
        dead = run_tools(home, "status")
        assert (dead.returncode, dead.stdout.count("does not run")) == (1, 2)
        assert run_tools(home, "env").stderr == "the local servers do not run; `make up` starts them\n"

        third = run_tools(home, "up")
        assert third.returncode == 0, third.stdout + third.stderr
        assert "the local servers do not run any more; the local stack is built again from nothing" in third.stdout
        assert third.stdout.count("│ ok │") == 4

        running = LocalStack(home).servers
        down = run_tools(home, "down")
        assert down.returncode == 0, down.stdout + down.stderr
        assert down.stdout.endswith("stopped the local servers\n")
        assert not any(server.alive for server in running)
        assert not home.exists()
        assert run_tools(home, "down").stdout == "nothing runs for the local stack\n"
    finally:
        LocalStack(home).stop()


def test_a_folder_that_lacks_its_secrets_is_said_and_force_ends_it(tmp_path: Path, tools: toolchain.Toolchain) -> None:
    local = LocalStack(tmp_path / "home")
    free = {"vault": 0, "aws": 0}
    local.start(vault=find_vault(os.environ), engine_plugin=tools.engine_plugin, say=print, ports=free)
    running = local.servers
    try:
        (local.home / "root-token").unlink()
        refused = run_tools(local.home, "down")
        assert refused.returncode == 1
        assert refused.stderr.startswith(
            f"the local stack lacks its secrets ({local.home / 'root-token'} cannot be read)"
        )
        assert all(server.alive for server in running)

        forced = run_tools(local.home, "down", "--force")
        assert (forced.returncode, forced.stderr) == (0, "")
        assert forced.stdout.endswith("stopped the local servers\n")
        assert not any(server.alive for server in running)
        assert not local.home.exists()
    finally:
        for server in running:
            server.stop()


def test_a_folder_that_cannot_be_made_is_said_without_a_traceback(tools: toolchain.Toolchain) -> None:
    done = run_tools(Path("/proc/nothing/stack"), "up")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "/proc/nothing: No such file or directory\n"


def test_the_environment_reads_as_in_the_article(shared_world: World) -> None:
    world = shared_world
    printed = world.tools("env")
    script = f'{printed.stdout}\n"$BAO" read -field=access_key aws/creds/my-role'
    bao = Path(sys.executable).parent / "bao"
    read = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": os.environ["PATH"], "BAO": str(bao)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert read.stdout.startswith("AKIA")


def test_a_port_in_use_is_said_and_another_taken(tmp_path: Path, tools: toolchain.Toolchain) -> None:
    said: list[str] = []
    local = LocalStack(tmp_path / "home")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        try:
            local.start(
                vault=find_vault(os.environ),
                engine_plugin=tools.engine_plugin,
                say=said.append,
                ports={"vault": port, "aws": 0},
            )
            [server] = [server for server in local.servers if server.name == "Vault"]
            assert said == [f"port {port} is in use by another program; Vault takes {server.url.rsplit(':')[-1]}"]
            assert server.url in local.config_file.read_text()
        finally:
            local.stop()


def test_a_server_that_cannot_start_is_said_with_its_last_words(tmp_path: Path) -> None:
    broken = tmp_path / "vault"
    broken.write_text("#!/bin/sh\necho 'no such option'\nexit 3\n")
    broken.chmod(0o755)
    local = LocalStack(tmp_path / "home")
    try:
        with pytest.raises(Exception, match="Vault ended while it started:\n  no such option"):
            local.start(vault=broken, engine_plugin=None, say=print, ports={"vault": 0, "aws": 0})
        mine = [p for p in psutil.process_iter(["cmdline"]) if str(local.home) in " ".join(p.info["cmdline"] or [])]
        assert mine == []
    finally:
        local.stop()


def test_a_process_id_that_is_used_again_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        started = psutil.Process(other.pid).create_time()
        stale = Server("Vault", "http://127.0.0.1:1", other.pid, started - 100)
        assert not stale.alive
        stale.stop()
        time.sleep(0.1)
        assert other.poll() is None
    finally:
        other.terminate()
        other.wait()
