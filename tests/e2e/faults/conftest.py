"""The world that faults befall: two roles and a login, its servers behind doors."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace

import pytest

from tests.e2e.conftest import World, start_world
from tests.e2e.faults.doors import Doors, doors
from tests.e2e.faults.inventory import assert_sound
from tools import toolchain

ROLE = "PUT aws/roles/my-role"
"""The request that a change of `Faulty` is about."""


def few_roles(world: World) -> None:
    """Two roles, a login, one audit device, and no alarm."""
    world.config["vault-aws:roles"] = {name: world.roles[name] for name in ("my-role", "deploy")}
    world.config["vault-aws:access"]["reporting"]["roles"] = ["my-role"]
    world.config["vault-aws:audit"]["devices"].pop("second")
    del world.config["vault-aws:alarm"]


@dataclass
class Faulty:
    """A world whose stack stands and is about to change, and the doors to its servers."""

    world: World
    between: Doors

    def fails(self) -> str:
        """What `make up` says that fails, in words for a person."""
        done = self.world.tools("up")
        said = done.stdout + done.stderr
        assert done.returncode == 1, said
        assert "Traceback" not in said
        return said

    def passes(self) -> str:
        """What `make up` says that brings the change about, whatever is in its way."""
        done = self.world.tools("up")
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        role = self.world.vault.adapter.get("/v1/aws/roles/my-role")["data"]
        assert role["iam_tags"]["round"] == self.world.roles["my-role"]["tags"]["round"]
        return said

    def recovers(self) -> str:
        """Runs `make up` once, nothing being in its way any more; fails unless all is as it should be."""
        self.between.open()
        said = self.passes()
        assert_sound(self.world)
        return said


@pytest.fixture(scope="module")
def behind_doors(tools: toolchain.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Doors]]:
    """A world for one module's tests, empty, and the doors to its servers.

    A destroy reaches the servers where the update did that was before it, so the doors stay.
    """
    world = start_world(tools, tmp_path_factory.mktemp("faults"))
    few_roles(world)
    with doors(world) as between:
        world.write()
        yield world, between
    world.local.stop()


@pytest.fixture
def faulty(behind_doors: tuple[World, Doors]) -> Iterator[Faulty]:
    """The module's world with its stack, whose my-role is about to change."""
    standing, between = behind_doors
    between.open()
    round_ = int(standing.roles["my-role"].get("tags", {}).get("round", 0))
    if not round_:
        assert standing.tools("up").returncode == 0
    standing.roles["my-role"]["tags"] = {"round": str(round_ + 1)}
    world = replace(standing, config=deepcopy(standing.config))
    world.write()
    yield Faulty(world, between)
    standing.write()
