"""Vault sealed, out of reach, restarted, in standby, or changing its mind while a stack is updated."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace

import pytest

from documents.pulumi_policy import pulumi_policy
from documents.stack import read_stack
from tests.e2e.conftest import World, start_world
from tests.e2e.faults.doors import Doors, doors
from tests.e2e.faults.inventory import assert_sound, inventory
from tests.e2e.faults.test_killed import few_roles
from tests.e2e.interceptor import CUT, Answer, Asked, Cut
from tools import toolchain
from tools.vault_server import unseal

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("vault faults")]

ROLE = "PUT aws/roles/my-role"


@pytest.fixture(scope="module")
def _behind_doors(
    tools: toolchain.Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Doors]]:
    world = start_world(tools, tmp_path_factory.mktemp("vault-faults"))
    few_roles(world)
    with doors(world) as between:
        world.write()
        assert world.tools("up").returncode == 0
        yield world, between
    world.local.stop()


@pytest.fixture
def standing(_behind_doors: tuple[World, Doors]) -> tuple[World, Doors]:
    """A world whose stack stands, and the doors to its servers; my-role is about to change."""
    standing, between = _behind_doors
    between.open()
    world = replace(standing, config=deepcopy(standing.config))
    tags = world.roles["my-role"].setdefault("tags", {})
    tags["round"] = str(int(tags.get("round", 0)) + 1)
    standing.roles["my-role"]["tags"] = tags
    world.write()
    return world, between


def to_vault(asked: Asked) -> bool:
    return asked.path.startswith("/v1/")


def refusal(status: int, *errors: str) -> Answer:
    """What Vault answers."""
    return Answer(status, json.dumps({"errors": errors}), {"Content-Type": "application/json"})


def failed(world: World) -> str:
    """What `make up` says that fails, in words for a person."""
    done = world.tools("up")
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    return said


def recovered(world: World, between: Doors) -> str:
    """Runs `make up` once, nothing being in its way any more; fails unless all is as it should be."""
    between.open()
    done = world.tools("up")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    role = world.vault.adapter.get("/v1/aws/roles/my-role")["data"]
    assert role["iam_tags"]["round"] == world.roles["my-role"]["tags"]["round"]
    assert_sound(world)
    return said


def test_sealed_before(standing: tuple[World, Doors]) -> None:
    world, between = standing
    before = inventory(world)
    world.vault.sys.seal()
    # The local server is unsealed by whoever has its key; this is what it says of a Vault of others.
    sealed = json.dumps({"sealed": True, "initialized": True})
    between.before = lambda asked: (
        Answer(200, sealed, {"Content-Type": "application/json"}) if asked.path.endswith("seal-status") else None
    )
    said = failed(world)
    assert "is sealed; unseal it (`vault operator unseal`) and run the same command again" in said
    assert "nothing was changed" in said
    assert inventory(world) == before
    recovered(world, between)


def test_the_local_vault_is_unsealed(standing: tuple[World, Doors]) -> None:
    world, between = standing
    world.vault.sys.seal()
    assert "the local Vault was sealed; it is unsealed again" in recovered(world, between)


MIDWAY: dict[str, tuple[Callable[[World], Answer | Cut | None], str]] = {
    # Sealed for real; a server that is restarted cuts what it has open, and comes up sealed.
    "sealed": (lambda world: world.vault.sys.seal() and None, "Vault is sealed"),
    "restarted": (lambda world: world.vault.sys.seal() and CUT, "Vault is sealed"),
    "standby": (lambda _: refusal(503, "node is a standby and has no active node"), "node is a standby"),
    "cut off": (lambda _: CUT, "EOF"),
    "an error of its own": (lambda _: refusal(500, "storage is not available"), "storage is not available"),
}
"""What happens at a request and from then on, and what is said of it."""


@pytest.mark.parametrize("what", MIDWAY)
def test_midway(standing: tuple[World, Doors], what: str) -> None:
    world, between = standing
    happen, told = MIDWAY[what]
    begun = False

    def from_the_role_on(asked: Asked) -> Answer | Cut | None:
        nonlocal begun
        begun = begun or asked.name == ROLE
        return happen(world) if begun and to_vault(asked) else None

    between.before = from_the_role_on
    said = failed(world)
    unseal(world.local.home, world.env["VAULT_ADDR"])
    assert told in said
    assert "did not end well; bringing the state to what is there" in recovered(world, between)


def test_a_standby_sends_to_the_active_node(standing: tuple[World, Doors]) -> None:
    world, between = standing
    redirected = []

    def redirect(asked: Asked) -> Answer | None:
        if not to_vault(asked):
            return None
        redirected.append(asked.name)
        return Answer(307, "", {"Location": world.env["VAULT_ADDR"] + asked.path})

    between.before = redirect
    done = world.tools("up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ROLE in redirected
    recovered(world, between)


def test_unreachable(standing: tuple[World, Doors]) -> None:
    world, between = standing
    before = inventory(world)
    between.before = lambda asked: CUT if to_vault(asked) else None
    address = world.config["vault:address"]
    assert f"nothing was changed; no Vault answers at {address} (ConnectionError); check vault:address" in failed(world)
    assert inventory(world) == before
    recovered(world, between)


def token_for(world: World) -> str:
    """A token with the rights that `make pulumi-policy` prints, and those to prove the roles."""
    policy = pulumi_policy(read_stack(world.config, "local").settings)
    world.vault.sys.create_or_update_policy("pulumi", policy)
    every = [f"aws-{role}" for role in world.roles]
    created = world.vault.auth.token.create(policies=["pulumi", *every], ttl="1h")
    return str(created["auth"]["client_token"])


def as_pulumi(world: World, token: str) -> World:
    """The same world, run with another token than root's."""
    (world.local.home / "root-token").write_text(token)
    return world


def test_a_token_that_ends_midway(standing: tuple[World, Doors]) -> None:
    world, between = standing
    root = world.vault
    token = token_for(world)

    def revoke(asked: Asked) -> None:
        if asked.name == ROLE:
            root.auth.token.revoke(token)

    as_pulumi(world, token)
    try:
        between.before = revoke
        assert "permission denied" in failed(world)
        between.open()
        said = failed(world)
        assert "does not take the token of VAULT_TOKEN or ~/.vault-token: it has expired" in said
        assert "nothing was changed" in said
    finally:
        as_pulumi(world, root.token)
    recovered(world, between)


def test_a_right_that_is_taken_midway(standing: tuple[World, Doors]) -> None:
    world, between = standing
    root = world.vault
    token = token_for(world)

    def take(asked: Asked) -> None:
        if asked.name == ROLE:
            policy = pulumi_policy(read_stack(world.config, "local").settings)
            root.sys.create_or_update_policy("pulumi", policy.replace('"aws/roles/+"', '"aws/no-roles/+"'))

    as_pulumi(world, token)
    try:
        between.before = take
        said = failed(world)
        assert "permission denied" in said
        assert "aws/roles/my-role" in said
    finally:
        as_pulumi(world, root.token)
    recovered(world, between)


def test_a_server_that_hangs(standing: tuple[World, Doors], monkeypatch: pytest.MonkeyPatch) -> None:
    world, between = standing
    monkeypatch.setenv("VAULT_CLIENT_TIMEOUT", "3")
    monkeypatch.setenv("VAULT_MAX_RETRIES", "0")
    with between.hanging(lambda asked: asked.name == ROLE):
        said = failed(world)
    assert "aws/roles/my-role" in said, said
    assert "context deadline exceeded" in said
    with between.hanging(to_vault):
        assert f"no Vault answers at {world.config['vault:address']} (ReadTimeout)" in failed(world)
    recovered(world, between)
