"""The state cut short, locked, on a full disk, or behind a plugin that outlives its update; the audit device full."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.faults.conftest import ROLE, Faulty
from tests.e2e.faults.doors import UP, start
from tests.e2e.faults.inventory import inventory
from tests.e2e.interceptor import Answer, Asked

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("state faults")]


def books(faulty: Faulty) -> Path:
    """Where Pulumi keeps its books."""
    return faulty.world.local.home / "state" / ".pulumi"


def state_file(faulty: Faulty) -> Path:
    return books(faulty) / "stacks" / "vault-aws" / "local.json"


def write_lock(faulty: Faulty, **other: Any) -> Path:
    """Locks the stack, as a process of this machine does that is gone, but for what is said."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    # An older one than any process that may get its id.
    lock = {"pid": ended.pid, "username": "ops", "hostname": socket.gethostname(), "timestamp": "2026-11-24T01:02:03Z"}
    file = books(faulty) / "locks" / "organization" / "vault-aws" / "local" / "0b1e0b1e.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(lock | other))
    return file


def test_a_state_cut_short(faulty: Faulty) -> None:
    file = state_file(faulty)
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    said = faulty.recovers()
    assert f"the state file {file} is cut short; the one of before it, of " in said
    assert file.with_suffix(".json.cut-short").read_text() == whole[: len(whole) // 2]


@pytest.mark.soak
def test_a_state_cut_short_with_none_before_it(faulty: Faulty) -> None:
    file, before = state_file(faulty), state_file(faulty).with_suffix(".json.bak")
    whole, kept = file.read_text(), before.read_text()
    file.write_text(whole[:100])
    before.unlink()
    there = inventory(faulty.world)
    said = faulty.fails()
    assert f"the state file {file} is cut short, and there is no whole one from before it" in said
    assert "restore it from your backup" in said
    assert (file.read_text(), inventory(faulty.world)) == (whole[:100], there)
    file.write_text(whole)
    before.write_text(kept)
    faulty.recovers()


@pytest.mark.soak
def test_attributes_cut_short(faulty: Faulty) -> None:
    attributes = state_file(faulty).with_suffix(".json.attrs")
    attributes.write_text("")
    assert faulty.world.stack.run("stack", "export", capture=True).returncode != 0
    faulty.recovers()


@pytest.mark.soak
def test_the_lock_of_a_process_that_is_gone(faulty: Faulty) -> None:
    file = write_lock(faulty)
    said = faulty.recovers()
    assert "an update of the stack local was killed (process " in said
    assert not file.exists()


@pytest.mark.soak
def test_a_lock_of_another_machine(faulty: Faulty) -> None:
    file = write_lock(faulty, hostname="elsewhere", pid=7)
    said = faulty.fails()
    assert (
        "nothing was changed: the stack local is being updated by process 7 of ops on elsewhere, since "
        "2026-11-24 01:02; wait for it, or, if you know that it has ended, run `pulumi cancel --stack local`" in said
    )
    assert file.exists()
    file.unlink()
    faulty.recovers()


@pytest.mark.soak
def test_a_lock_that_cannot_be_read(faulty: Faulty) -> None:
    file = write_lock(faulty)
    file.write_text("{")
    assert f"the lock file {file} cannot be read, so nobody knows whose it is" in faulty.fails()
    file.unlink()
    faulty.recovers()


def test_two_updates_at_once(faulty: Faulty) -> None:
    with faulty.between.hanging(lambda asked: asked.name == ROLE):
        first = start(faulty.world, *UP)
        deadline = time.monotonic() + 60
        while ROLE not in faulty.between.seen and time.monotonic() < deadline:
            time.sleep(0.05)
        said = faulty.fails()
    first.communicate()
    assert f"the stack local is being updated by process {first.pid} of " in said
    faulty.recovers()


@pytest.mark.soak
def test_a_plugin_that_goes_on_without_its_update(faulty: Faulty) -> None:
    """It asks for a key until it gets one, which nobody would then know of."""
    world = faulty.world
    world.engine.setdefault("vaultUser", {})["keyGeneration"] = 2
    process: subprocess.Popen[str] | None = None
    plugins: dict[psutil.Process, str] = {}

    def refuse_and_kill(asked: Asked) -> Answer | None:
        if asked.action != "CreateAccessKey":
            return None
        if process is not None and process.poll() is None:
            plugins.update({one: one.name() for one in psutil.Process(process.pid).children()})
            os.kill(process.pid, signal.SIGKILL)
        return Answer(503, "", {})

    faulty.between.before = refuse_and_kill
    process = start(world, *UP)
    process.wait()
    faulty.between.open()
    said = faulty.passes()
    assert "plugins that it left" in said
    assert any(one.startswith("pulumi-resource-aws") for one in plugins.values())
    assert [name for one, name in plugins.items() if one.is_running()] == []
    faulty.recovers()


@pytest.mark.soak
def test_a_disk_that_is_full(faulty: Faulty) -> None:
    """The folder of the state becomes a file system of its own that has no room left."""
    state = faulty.world.local.home / "state"
    kept = faulty.world.local.home / "kept"
    state.rename(kept)
    state.mkdir()
    room = 2 * sum(file.stat().st_size for file in kept.rglob("*")) + 2**24
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(state)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    try:
        if mounted.returncode:
            pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
        subprocess.run(["cp", "-a", f"{kept}/.", str(state)], check=True)
        ballast = state / "ballast"

        def fill(asked: Asked) -> None:
            if asked.name == ROLE and not ballast.exists():
                with ballast.open("wb", buffering=0) as file:
                    try:
                        while file.write(b"0" * 4096):
                            pass
                    except OSError:
                        return

        faulty.between.before = fill
        said = faulty.fails()
        assert "no space left on device" in said
        ballast.unlink()
        faulty.recovers()
    finally:
        if not mounted.returncode:
            kept.rename(faulty.world.local.home / "old")
            subprocess.run(["cp", "-a", str(state), str(kept)], check=True)
            subprocess.run(["umount", str(state)], check=True)
        state.rmdir()
        kept.rename(state)


@pytest.mark.soak
def test_an_audit_device_that_is_full(faulty: Faulty) -> None:
    """The only audit device: Vault does nothing that it cannot record."""
    vault = next(server for server in faulty.world.local.servers if server.name == "Vault")
    log = faulty.world.local.home / "audit-1.log"
    kept = log.with_suffix(".kept")
    log.rename(kept)
    log.symlink_to("/dev/full")
    os.kill(vault.pid, signal.SIGHUP)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and "reload" not in (faulty.world.local.home / "vault.log").read_text():
        time.sleep(0.05)
    try:
        said = faulty.fails()
    finally:
        log.unlink()
        kept.rename(log)
        os.kill(vault.pid, signal.SIGHUP)
    assert "answers, but fails (internal error" in said
    assert "one reason is that no audit device can write" in said
    faulty.recovers()
