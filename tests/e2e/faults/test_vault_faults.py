"""Vault sealed, out of reach, restarted, in standby, or changing its mind while a stack is updated."""

import json
from collections.abc import Callable

import pytest

from documents.pulumi_policy import pulumi_policy
from documents.stack import read_stack
from tests.e2e.conftest import World
from tests.e2e.faults.conftest import ROLE, Faulty
from tests.e2e.faults.inventory import inventory
from tests.e2e.interceptor import CUT, Answer, Asked, Cut
from tools.vault_server import unseal

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("vault faults")]


def to_vault(asked: Asked) -> bool:
    return asked.path.startswith("/v1/")


def refusal(status: int, *errors: str) -> Answer:
    """What Vault answers."""
    return Answer(status, json.dumps({"errors": errors}), {"Content-Type": "application/json"})


@pytest.mark.soak
def test_sealed_before(faulty: Faulty) -> None:
    world, between = faulty.world, faulty.between
    before = inventory(world)
    world.vault.sys.seal()
    # The local server is unsealed by whoever has its key; this is what it says of a Vault of others.
    sealed = json.dumps({"sealed": True, "initialized": True})
    between.before = lambda asked: (
        Answer(200, sealed, {"Content-Type": "application/json"}) if asked.path.endswith("seal-status") else None
    )
    said = faulty.fails()
    assert "is sealed; unseal it (`vault operator unseal`) and run the same command again" in said
    assert "nothing was changed" in said
    assert inventory(world) == before
    faulty.recovers()


@pytest.mark.soak
def test_the_local_vault_is_unsealed(faulty: Faulty) -> None:
    faulty.world.vault.sys.seal()
    assert "the local Vault was sealed; it is unsealed again" in faulty.recovers()


MIDWAY: dict[str, tuple[Callable[[World], Answer | Cut | None], str]] = {
    # Sealed for real; a server that is restarted cuts what it has open, and comes up sealed.
    "sealed": (lambda world: world.vault.sys.seal() and None, "Vault is sealed"),
    "restarted": (lambda world: world.vault.sys.seal() and CUT, "EOF"),
    "standby": (lambda _: refusal(503, "node is a standby and has no active node"), "node is a standby"),
    "cut off": (lambda _: CUT, "EOF"),
    "an error of its own": (lambda _: refusal(500, "storage is not available"), "storage is not available"),
}
"""What happens at a request and from then on, and what is said of it."""


@pytest.mark.parametrize(
    "what", [what if what == "cut off" else pytest.param(what, marks=pytest.mark.soak) for what in MIDWAY]
)
def test_midway(faulty: Faulty, what: str) -> None:
    world, between = faulty.world, faulty.between
    happen, told = MIDWAY[what]
    begun = False

    def from_the_role_on(asked: Asked) -> Answer | Cut | None:
        nonlocal begun
        begun = begun or asked.name == ROLE
        return happen(world) if begun and to_vault(asked) else None

    between.before = from_the_role_on
    said = faulty.fails()
    unseal(world.local.home, world.env["VAULT_ADDR"])
    assert told in said
    assert "did not end well; bringing the state to what is there" in faulty.recovers()


@pytest.mark.soak
def test_a_standby_sends_to_the_active_node(faulty: Faulty) -> None:
    world, between = faulty.world, faulty.between
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
    faulty.recovers()


@pytest.mark.soak
def test_unreachable(faulty: Faulty) -> None:
    world, between = faulty.world, faulty.between
    before = inventory(world)
    between.before = lambda asked: CUT if to_vault(asked) else None
    address = world.config["vault:address"]
    assert (
        f"nothing was changed; no Vault answers at {address} (ConnectionError); check vault:address" in faulty.fails()
    )
    assert inventory(world) == before
    faulty.recovers()


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


@pytest.mark.soak
def test_a_token_that_ends_midway(faulty: Faulty) -> None:
    world, between = faulty.world, faulty.between
    root = world.vault
    token = token_for(world)

    def revoke(asked: Asked) -> None:
        if asked.name == ROLE:
            root.auth.token.revoke(token)

    as_pulumi(world, token)
    try:
        between.before = revoke
        assert "permission denied" in faulty.fails()
        between.open()
        said = faulty.fails()
        assert "does not take the token of VAULT_TOKEN or ~/.vault-token: it has expired" in said
        assert "nothing was changed" in said
    finally:
        as_pulumi(world, root.token)
    faulty.recovers()


@pytest.mark.soak
def test_a_right_that_is_taken_midway(faulty: Faulty) -> None:
    world, between = faulty.world, faulty.between
    root = world.vault
    token = token_for(world)

    def take(asked: Asked) -> None:
        if asked.name == ROLE:
            policy = pulumi_policy(read_stack(world.config, "local").settings)
            root.sys.create_or_update_policy("pulumi", policy.replace('"aws/roles/+"', '"aws/no-roles/+"'))

    as_pulumi(world, token)
    try:
        between.before = take
        said = faulty.fails()
        assert "permission denied" in said
        assert "aws/roles/my-role" in said
    finally:
        as_pulumi(world, root.token)
    faulty.recovers()


@pytest.mark.soak
def test_a_server_that_hangs(faulty: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    world, between = faulty.world, faulty.between
    monkeypatch.setenv("VAULT_CLIENT_TIMEOUT", "3")
    monkeypatch.setenv("VAULT_MAX_RETRIES", "0")
    with between.hanging(lambda asked: asked.name == ROLE):
        said = faulty.fails()
    assert 'error creating role "my-role" for backend "aws": context deadline exceeded' in said
    with between.hanging(to_vault):
        assert f"no Vault answers at {world.config['vault:address']} (ReadTimeout)" in faulty.fails()
    faulty.recovers()
