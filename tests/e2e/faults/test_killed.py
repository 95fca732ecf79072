"""Pulumi killed (-9) at any request: the next `make up` alone brings the stack to its end."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

import pytest

from tests.e2e.conftest import World
from tests.e2e.faults.doors import DESTROY, UP, Doors, Moment
from tests.e2e.faults.inventory import Inventory, assert_sound, differing, inventory

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("killed")]


def _stands(world: World) -> None:
    world.pulumi(*UP)


def _is_gone(world: World) -> None:
    world.pulumi(*DESTROY)


def _another_key(world: World) -> None:
    user = world.engine.setdefault("vaultUser", {"keyGeneration": 1})
    user["keyGeneration"] += 1


def _before_the_change(world: World) -> None:
    world.roles.pop("added", None)
    world.roles["my-role"].pop("tags", None)
    world.roles["removed"] = dict(world.roles["deploy"])
    world.engine["maxLeaseTtl"] = "4h"
    _stands(world)


def _a_change(world: World) -> None:
    world.roles["added"] = dict(world.roles["deploy"])
    world.roles["my-role"]["tags"] = {"team": "data"}
    del world.roles["removed"]
    world.engine["maxLeaseTtl"] = "5h"


def _in_one_region(world: World) -> None:
    # The names of what is made and removed are those of the regions, so each round goes from the same to the same.
    world.engine["region"] = "eu-west-1"
    _stands(world)


def _in_another_region(world: World) -> None:
    world.engine["region"] = "eu-west-2"


def _nothing(_world: World) -> None:
    """Changes no setting."""


@dataclass(frozen=True)
class Flow:
    """A change of a stack.

    Attributes:
        prepare: Brings the stack to where the change begins, whatever was before.
        change: Changes its settings.
        words: What Pulumi is asked for.
        some: The requests at which `make test` kills; `make soak` kills at every one.
        rotation: Who rotates the key of Vault's user.
    """

    prepare: Callable[[World], None]
    change: Callable[[World], None]
    words: tuple[str, ...] = UP
    some: tuple[str, ...] = ()
    rotation: str = "stack"


FLOWS = {
    "first up": Flow(
        _is_gone,
        _nothing,
        some=("CreateUser secrets-engine-local-aws", "CreateAccessKey secrets-engine-local-aws", "POST sys/mounts/aws"),
    ),
    "rotation": Flow(_stands, _another_key, some=("CreateAccessKey secrets-engine-local-aws",)),
    "change": Flow(_before_the_change, _a_change),
    "destroy": Flow(_stands, _nothing, DESTROY, some=("DELETE sys/mounts/aws",)),
    "first up where Vault rotates": Flow(_is_gone, _nothing, rotation="vault"),
    "another root configuration where Vault rotates": Flow(_in_one_region, _in_another_region, rotation="vault"),
}


@pytest.fixture
def killed(behind_doors: tuple[World, Doors]) -> tuple[World, Doors]:
    """A world without its stack, and the doors to its servers."""
    standing, between = behind_doors
    world = replace(standing, config=deepcopy(standing.config))
    _is_gone(world)
    return world, between


def recorded(world: World, between: Doors, flow: Flow) -> tuple[list[str], Inventory]:
    """The requests of a change that nothing disturbs, and all that is there in the end, once the stack stands."""
    world.engine["rotation"] = flow.rotation
    flow.prepare(world)
    flow.change(world)
    between.seen.clear()
    world.pulumi(*flow.words)
    requests = list(between.seen)
    if flow.words == DESTROY:
        _stands(world)
    return requests, inventory(world)


def recovered(world: World, between: Doors, flow: Flow, name: str, moment: Moment) -> str:
    """Kills a change, runs `make up` once, and gives what that printed; fails unless all is as it should be."""
    world.engine["rotation"] = flow.rotation
    flow.prepare(world)
    flow.change(world)
    between.kill_at(world, name, moment, flow.words)
    between.open()
    done = world.tools("up")
    said = f"killed {moment} {name}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    assert_sound(world)
    return said


@pytest.mark.soak
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("flow", FLOWS)
def test_killed_at_every_request(killed: tuple[World, Doors], flow: str, moment: Moment) -> None:
    world, between = killed
    requests, end = recorded(world, between, FLOWS[flow])
    failures = []
    for name in requests:
        try:
            said = recovered(world, between, FLOWS[flow], name, moment)
            assert differing(inventory(world), end) == {}, said
        except (AssertionError, pytest.fail.Exception) as failure:
            failures.append(f"{name}: {failure}")
    print(f"{flow}, killed {moment} each of {len(requests)} requests: {', '.join(requests)}")
    assert not failures, "\n\n".join(failures)


@pytest.mark.parametrize("flow", [name for name, flow in FLOWS.items() if flow.some])
def test_killed_where_it_hurts_most(killed: tuple[World, Doors], flow: str) -> None:
    world, between = killed
    for name in FLOWS[flow].some:
        said = recovered(world, between, FLOWS[flow], name, "after")
        assert "did not end well; bringing the state to what is there" in said
        assert len(world.roles) == said.count("│ ok │")
