"""Updates of many roles: fewer checkpoints, and nothing lost when one is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import hvac
import pytest

from program.foundation import FOUNDATION
from tests.e2e.conftest import World
from tests.e2e.faults.inventory import assert_sound
from tools import update as updating
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack
from tools.update import MANY, OF_A_ROLE, UNRECORDED, Scope

pytestmark = pytest.mark.e2e

MIDWAY = MANY // OF_A_ROLE + 5
"""Roles enough to leave checkpoints out."""


class ListedStack(PulumiStack):
    """A stack that lists what Pulumi is asked to do with it."""

    asked: list[str] = []

    def run(self, *words: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        steps = {FOUNDATION: "foundation", UNRECORDED: "without checkpoints"}
        how = [said for name, said in steps.items() if name in self.env] + ["targets"] * ("--target" in words)
        self.asked.append(" ".join([words[0], *how]))
        return super().run(*words, capture=capture)


def declare(world: World, count: int) -> None:
    world.roles.update(
        {f"many-{number}": {"credentialType": "iam_user", "policy": "report-reader.json"} for number in range(count)}
    )
    world.write()


def roles_in_vault(world: World) -> set[str]:
    try:
        answer = world.vault.adapter.list("/v1/aws/roles")
    except hvac.exceptions.InvalidPath:
        return set()
    return set(answer["data"]["keys"]) if answer else set()


def keys(world: World) -> set[str]:
    """The access keys of Vault's user."""
    listed = world.aws("iam").list_access_keys(UserName="secrets-engine-local-aws")
    return {key["AccessKeyId"] for key in listed["AccessKeyMetadata"]}


def scope(world: World) -> Scope:
    return Scope.of(world.stack.resources(), world.config)


def test_many_roles_come_after_all_else_and_go_before_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updating, "MANY", 10)
    declare(world, 5)
    stack = ListedStack(world.stack.name, world.stack.env, world.stack.config_file, world.stack.project)
    asked = ListedStack.asked

    asked.clear()
    assert updating.update(stack, (), None, scope(world)) == 0
    assert asked == ["up foundation", "up without checkpoints"]
    assert roles_in_vault(world) == set(world.roles)
    assert world.read("many-4")["data"]["access_key"]
    world.pulumi("refresh", "--yes", "--expect-no-changes")

    asked.clear()
    assert updating.update(stack, (), lambda: pytest.fail("there is nothing to confirm"), scope(world)) == 0
    assert asked == ["preview"]

    # A refresh has come before, after which Pulumi would record every role anew.
    world.roles["many-0"]["tags"] = {"round": "second"}
    world.write()
    asked.clear()
    assert updating.update(stack, (), None, scope(world)) == 0
    assert asked == ["preview", "up without checkpoints"]

    world.engine["maxLeaseTtl"] = "5h"
    world.roles["many-0"]["tags"] = {"round": "third"}
    world.write()
    asked.clear()
    assert updating.update(stack, (), None, scope(world)) == 0
    assert asked == ["preview", "up targets", "up without checkpoints"]
    assert world.vault.adapter.get("/v1/aws/roles/many-0")["data"]["iam_tags"]["round"] == "third"

    before = keys(world)
    world.engine["vaultUser"] = {"keyGeneration": 2}
    world.write()
    asked.clear()
    assert updating.update(stack, (), None, scope(world)) == 0
    assert asked == ["preview", "up targets", "up without checkpoints"]
    assert len(keys(world) - before) == len(keys(world)) == 1
    assert world.read("many-4")["data"]["access_key"]
    world.pulumi("refresh", "--yes", "--expect-no-changes")

    asked.clear()
    assert updating.destroy(stack, lambda: True, stack.resources()) == 0
    assert asked == ["stack", "destroy", "destroy without checkpoints targets", "destroy"]
    assert "aws/" not in world.vault.sys.list_mounted_secrets_engines()["data"]
    assert world.user_names() == set()
    assert world.stack.resources() == []


def test_nothing_happens_without_a_yes(shared_world: World) -> None:
    world = shared_world
    declare(world, 1)
    assert updating.update(world.stack, (), lambda: False, scope(world)) == 1
    assert "many-0" not in roles_in_vault(world)


def has_mount(world: World) -> bool:
    return "aws/" in world.vault.sys.list_mounted_secrets_engines()["data"]


def has_roles(count: int) -> Callable[[World], bool]:
    return lambda world: len(roles_in_vault(world)) >= count


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(has_mount, id="the mount", marks=pytest.mark.soak),
        pytest.param(has_roles(1), id="the first role", marks=pytest.mark.soak),
        pytest.param(has_roles(MIDWAY // 2), id="half of the roles"),
        pytest.param(has_roles(MIDWAY), id="most roles", marks=pytest.mark.soak),
    ],
)
def test_a_first_make_up_of_many_roles_that_is_killed_loses_nothing(
    world: World, moment: Callable[[World], bool]
) -> None:
    declare(world, MIDWAY)
    kill_make_up(world, moment)
    assert "did not end well; bringing the state to what is there" in recovers(world)


@pytest.mark.soak
@pytest.mark.parametrize("made", [1, MIDWAY // 2, MIDWAY])
def test_a_make_up_of_many_more_roles_that_is_killed_loses_nothing(world: World, made: int) -> None:
    assert world.tools("up").returncode == 0
    before = len(roles_in_vault(world))
    declare(world, MIDWAY)
    kill_make_up(world, has_roles(before + made))
    assert "did not end well; bringing the state to what is there" in recovers(world)


@pytest.mark.soak
def test_a_rotation_under_many_roles_that_is_killed_as_the_old_key_goes_loses_nothing(world: World) -> None:
    declare(world, MIDWAY)
    assert world.tools("up").returncode == 0
    world.engine["vaultUser"] = {"keyGeneration": 2}
    world.write()
    [old] = keys(world)
    kill_make_up(world, lambda world: old not in keys(world))
    assert "did not end well; bringing the state to what is there" in recovers(world)


def kill_make_up(world: World, moment: Callable[[World], bool]) -> None:
    """Runs `make up` and kills it (-9), and Pulumi with it, once Vault is so far; its plugins live on."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools", "up", "--home", str(world.local.home)],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not moment(world):
        assert process.poll() is None, "it ended before that"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def recovers(world: World) -> str:
    """Runs `make up` once, and gives what it said; fails unless all is as it should be."""
    done = world.tools("up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert roles_in_vault(world) == set(world.roles)
    assert_sound(world)
    return done.stdout
