"""Updates of many roles: fewer checkpoints, and nothing lost when one is killed."""

import os
import signal
import subprocess
import threading
import time

import pytest

from tests.e2e.conftest import World
from tools import update as updating

pytestmark = pytest.mark.e2e


def declare(world: World, count: int) -> None:
    world.roles.update(
        {f"many-{number}": {"credentialType": "iam_user", "policy": "report-reader.json"} for number in range(count)}
    )
    world.write()


def roles_in_vault(world: World) -> set[str]:
    found: list[str] = world.vault.adapter.list("/v1/aws/roles")["data"]["keys"]
    return set(found)


def test_many_roles_come_in_two_steps_and_go_in_two(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updating, "MANY", 5)
    declare(world, 5)
    assert updating.update(world.stack, (), lambda: True) == 0
    assert roles_in_vault(world) == set(world.roles)
    assert world.read("many-4")["data"]["access_key"]
    world.pulumi("refresh", "--yes", "--expect-no-changes")
    assert updating.update(world.stack, (), lambda: pytest.fail("there is nothing to confirm")) == 0
    assert updating.destroy(world.stack, lambda: True) == 0
    assert "aws/" not in world.vault.sys.list_mounted_secrets_engines()["data"]
    assert world.user_names() == set()
    assert world.stack.resources() == []


def test_nothing_happens_without_a_yes(shared_world: World) -> None:
    world = shared_world
    declare(world, 1)
    assert updating.update(world.stack, (), lambda: False) == 1
    assert "many-0" not in roles_in_vault(world)


@pytest.mark.soak
@pytest.mark.parametrize("written", [1, 20, 55])
def test_a_kill_while_nothing_is_recorded_loses_nothing(world: World, written: int) -> None:
    world.up()
    declare(world, 60)
    before = len(roles_in_vault(world))

    def kill_midway() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and len(roles_in_vault(world)) < before + written:
            time.sleep(0.005)
        for group in groups:
            os.killpg(group, signal.SIGKILL)

    groups: list[int] = []
    real = subprocess.run

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        if command[:2] != ["pulumi", "up"]:
            return real(command, **options)  # type: ignore[call-overload,no-any-return] # passed on as it came
        process = subprocess.Popen(command, start_new_session=True, **_popen(options))  # type: ignore[call-overload] # as above
        groups.append(process.pid)
        return subprocess.CompletedProcess(command, process.wait())

    killer = threading.Thread(target=kill_midway)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tools.pulumi_stack.subprocess.run", run)
        killer.start()
        assert updating.update(world.stack, (), lambda: True) != 0
        killer.join()
    assert before + written <= len(roles_in_vault(world))
    world.pulumi("cancel", "--yes", check=False)
    assert updating.update(world.stack, (), lambda: True) == 0
    assert roles_in_vault(world) == set(world.roles)
    world.pulumi("refresh", "--yes", "--expect-no-changes")


def _popen(options: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in options.items() if key in {"cwd", "env", "text"}}
