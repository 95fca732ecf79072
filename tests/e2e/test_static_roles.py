"""Static roles: existing IAM users whose keys Vault rotates."""

import time

import pytest

from tests.e2e.conftest import World

pytestmark = pytest.mark.e2e


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


def test_vault_holds_the_key_of_an_existing_user_and_a_new_period_takes_effect(world: World) -> None:
    iam = world.aws("iam")
    iam.create_user(UserName="legacy-batch")
    world.config["vault-aws:staticRoles"] = {"legacy": {"userName": "legacy-batch", "rotationPeriod": "24h"}}
    world.up()
    first = world.vault.adapter.get("/v1/aws/static-creds/legacy")["data"]
    key = {**first, "security_token": None}
    assert world.aws("sts", key).get_caller_identity()["Arn"].endswith(":user/legacy-batch")
    assert world.changes() == {}

    # Vault would keep the old period in its queue; the role is replaced, and its key with it.
    world.config["vault-aws:staticRoles"]["legacy"]["rotationPeriod"] = "1m"
    assert world.apply()["legacy-static-role"] in {"replace", "create-replacement", "delete-replaced"}
    second = world.vault.adapter.get("/v1/aws/static-creds/legacy")["data"]
    assert second["access_key"] != first["access_key"]
    keys = iam.list_access_keys(UserName="legacy-batch")["AccessKeyMetadata"]
    assert [key["AccessKeyId"] for key in keys] == [second["access_key"]]
    assert world.vault.adapter.get("/v1/aws/static-roles/legacy")["data"]["rotation_period"] == 60

    del world.config["vault-aws:staticRoles"]["legacy"]
    world.up()
    assert iam.list_access_keys(UserName="legacy-batch")["AccessKeyMetadata"] == []
    assert "legacy-batch" in world.user_names()


@pytest.mark.soak  # Vault's shortest period is a minute
def test_a_key_is_replaced_when_its_period_ends(world: World) -> None:
    world.aws("iam").create_user(UserName="legacy-nightly")
    world.config["vault-aws:staticRoles"] = {"nightly": {"userName": "legacy-nightly", "rotationPeriod": "1m"}}
    world.up()
    first = world.vault.adapter.get("/v1/aws/static-creds/nightly")["data"]
    second, deadline = first, time.monotonic() + 300
    while second["access_key"] == first["access_key"] and time.monotonic() < deadline:
        time.sleep(1)
        second = world.vault.adapter.get("/v1/aws/static-creds/nightly")["data"]
    assert second["access_key"] != first["access_key"]
    assert world.aws("sts", {**second, "security_token": None}).get_caller_identity()["Arn"].endswith("/legacy-nightly")
    # Vault leaves the key before to whoever holds it, until the next turn; and it stays when the role goes.
    assert keys_of(world) == {first["access_key"], second["access_key"]}
    del world.config["vault-aws:staticRoles"]["nightly"]
    world.up()
    assert second["access_key"] not in keys_of(world)


def keys_of(world: World) -> set[str]:
    keys = world.aws("iam").list_access_keys(UserName="legacy-nightly")["AccessKeyMetadata"]
    return {key["AccessKeyId"] for key in keys}
