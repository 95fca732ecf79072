"""Vault's own key where Vault rotates it: the seed dies in the first up, and nothing brings it back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import hvac
import pytest
import yaml
from botocore.exceptions import ClientError

from tests.e2e.conftest import World, start_world
from tools import toolchain

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("rotation")]


@pytest.fixture(scope="module")
def rotating(tools: toolchain.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose key Vault rotates; each test finds it as the one before left it."""
    world = start_world(tools, tmp_path_factory.mktemp("rotating"))
    world.engine["rotation"] = "vault"
    yield world
    world.local.stop()


def keys_in_state(world: World) -> list[dict[str, Any]]:
    """Every access key of which the state says anything, with its secret."""
    state = json.loads(world.pulumi("stack", "export", "--show-secrets").stdout)
    found = []
    for resource in state["deployment"]["resources"]:
        if resource["type"] == "aws:iam/accessKey:AccessKey":
            secret = resource["outputs"]["secret"]
            secret = json.loads(secret["plaintext"]) if isinstance(secret, dict) else secret
            found.append({"access_key": resource["outputs"]["id"], "secret_key": secret, "security_token": None})
    return found


def vault_users(world: World) -> list[str]:
    users = world.aws("iam").list_users(PathPrefix="/vault/")["Users"]
    return [user["UserName"] for user in users]


def assert_sound(world: World) -> None:
    """Credentials are made; one user with one key, which nobody but Vault knows."""
    lease = world.read("my-role")
    world.vault.sys.revoke_lease(lease["lease_id"])
    [user] = vault_users(world)
    [key] = world.aws("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]
    live = world.vault.adapter.get("/v1/aws/config/root")["data"]["access_key"]
    assert key["AccessKeyId"] == live
    for known in keys_in_state(world):
        assert known["access_key"] != live
        with pytest.raises(ClientError) as refused:
            world.aws("sts", known).get_caller_identity()
        assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_no_key_in_the_state_ever_works_again(rotating: World) -> None:
    world = rotating
    world.up()
    assert_sound(world)

    # The dead seed leaves the state with the next update; from then on nothing changes.
    assert set(world.apply().values()) == {"delete"}
    assert_sound(world)
    world.pulumi("refresh", "--yes")
    world.up("--expect-no-changes")
    assert_sound(world)


def test_changes_of_the_root_configuration_keep_a_live_key(rotating: World) -> None:
    world = rotating
    world.up()
    elsewhere = world.engine["iamEndpoint"].replace("127.0.0.1", "localhost")
    for settings, field in (
        ({"region": "eu-west-1"}, "region"),
        ({"usernameTemplate": "vault-{{ random 20 }}"}, "username_template"),
        ({"iamEndpoint": elsewhere}, "iam_endpoint"),
    ):
        before = vault_users(world)
        world.engine.update(settings)
        world.up()
        assert_sound(world)
        assert vault_users(world) != before
        assert world.vault.adapter.get("/v1/aws/config/root")["data"][field] == next(iter(settings.values()))
    # The dead seed leaves the state; nothing else is left to do.
    world.apply()
    assert_sound(world)
    world.pulumi("refresh", "--yes", "--expect-no-changes")
    assert world.changes() == {}


def test_an_operator_rotates_and_the_stack_has_nothing_to_say(rotating: World) -> None:
    world = rotating
    world.up()
    before = world.vault.adapter.get("/v1/aws/config/root")["data"]["access_key"]
    world.vault.adapter.post("/v1/aws/config/rotate-root")
    assert world.vault.adapter.get("/v1/aws/config/root")["data"]["access_key"] != before
    assert world.changes() == {}
    assert_sound(world)


def test_a_key_that_is_lost_is_replaced_with_its_user(rotating: World) -> None:
    world = rotating
    world.up()
    [user] = vault_users(world)
    iam = world.aws("iam")
    [key] = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    with pytest.raises(hvac.exceptions.VaultError, match="InvalidClientTokenId"):
        world.read("my-role")
    assert "InvalidClientTokenId" in world.tools("rotate").stderr
    world.engine["maxRetries"] = 5
    world.up()
    assert_sound(world)
    assert vault_users(world) != [user]


def test_key_generations_contradict_it(shared_world: World) -> None:
    world = shared_world
    world.engine.update(rotation="vault", vaultUser={"keyGeneration": 2})
    done = world.pulumi("preview", check=False)
    assert done.returncode != 0
    assert (
        "Pulumi.local.yaml: engines.aws.vaultUser.keyGeneration: goes with rotation: stack, and this engine has "
        "rotation: vault, where Vault makes every key after the first; remove it, or change the rotation"
    ) in done.stdout + done.stderr


def test_make_rotate_raises_the_generation_and_proves_the_stack(shared_world: World) -> None:
    world = shared_world
    before = world.root_key()["access_key"]
    world.deployed = ""
    done = world.tools("rotate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "engine aws: key generation 2" in done.stdout
    assert done.stdout.count("│ ok │") == 4
    assert world.vault.adapter.get("/v1/aws/config/root")["data"]["access_key"] != before
    config = yaml.safe_load(world.local.config_file.read_text())["config"]
    user = config["vault-aws:engines"]["aws"]["vaultUser"]
    assert (user["keyGeneration"], str(user["keyMade"])) == (2, f"{datetime.now(UTC):%Y-%m-%d}")


def test_make_rotate_has_vault_rotate_where_vault_does(rotating: World) -> None:
    world = rotating
    world.up()
    before = world.vault.adapter.get("/v1/aws/config/root")["data"]["access_key"]
    done = world.tools("rotate")
    assert (done.returncode, done.stdout) == (0, "engine aws: Vault has rotated its key\n")
    assert world.vault.adapter.get("/v1/aws/config/root")["data"]["access_key"] != before
    assert_sound(world)


def test_what_vault_rotated_goes_with_the_stack(rotating: World) -> None:
    world = rotating
    world.up()
    world.destroy()
    assert world.user_names() == set()
    assert "aws/" not in world.vault.sys.list_mounted_secrets_engines()["data"]
