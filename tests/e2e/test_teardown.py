"""`make down`: leases are counted, revoked, and nothing is left in Vault or AWS."""

import hvac
import pytest

from tests.e2e.conftest import World

pytestmark = pytest.mark.e2e


def test_twenty_live_leases_are_counted_and_end_with_the_stack(world: World) -> None:
    world.up()
    for _ in range(12):
        world.read("my-role")
    for _ in range(8):
        world.read("report-reader")
    assert len(world.user_names("/")) == 21
    iam = world.aws("iam")
    done = world.tools("destroy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 live leases: my-role 12, report-reader 8" in done.stdout
    assert "revoking 12 live leases of role my-role" in done.stdout
    assert world.user_names() == set()
    assert "aws/" not in world.vault.sys.list_mounted_secrets_engines()["data"]
    assert [p for p in iam.list_policies(Scope="Local")["Policies"] if p["PolicyName"].startswith("secrets-")] == []


def test_what_is_protected_stays_and_the_way_out_is_said(world: World) -> None:
    world.config["vault-aws:protect"] = True
    world.up()
    done = world.tools("destroy")
    assert done.returncode == 1
    assert done.stderr == (
        "the stack local is protected, and nothing was destroyed; to destroy it, set vault-aws:protect to false, "
        "run `make up STACK=local` and then `make down STACK=local`\n"
    )
    assert world.read("my-role")["data"]["access_key"]
    # Pulumi on its own deletes the roles and then refuses; the next update brings them back.
    assert "protected" in world.pulumi("destroy", "--yes", "--skip-preview", check=False).stdout
    assert "aws/" in world.vault.sys.list_mounted_secrets_engines()["data"]
    assert "secrets-engine-local-aws" in world.user_names()
    world.engine["vaultUser"] = {"keyGeneration": 2}
    world.up()
    assert world.read("my-role")["data"]["access_key"]
    world.config["vault-aws:protect"] = False
    world.up()
    assert world.tools("destroy").returncode == 0


def test_a_role_that_goes_while_its_leases_live_is_warned_of(shared_world: World) -> None:
    world = shared_world
    world.read("my-role")
    world.read("my-role")
    del world.roles["my-role"]
    world.write()
    done = world.tools("preview")
    assert (
        "role my-role goes, and 2 of its leases live on until they expire; to end them now: "
        "vault lease revoke -prefix aws/creds/my-role"
    ) in done.stdout


def test_a_user_that_somebody_deleted_already_is_no_obstacle(world: World) -> None:
    world.up()
    before = world.user_names()
    world.read("my-role")
    [made] = world.user_names() - before
    iam = world.aws("iam")
    for key in iam.list_access_keys(UserName=made)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=made, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=made)["PolicyNames"]:
        iam.delete_user_policy(UserName=made, PolicyName=policy)
    iam.delete_user(UserName=made)
    done = world.tools("destroy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert world.user_names() == set()


def test_a_user_with_a_login_profile_is_named_and_force_ends_it(world: World) -> None:
    world.up()
    before = world.user_names()
    lease = world.read("my-role")
    [made] = world.user_names() - before
    world.aws("iam").create_login_profile(UserName=made, Password="Correct-horse-9-battery")
    done = world.tools("destroy")
    assert done.returncode == 1
    assert "1 leases could not be revoked, so nothing was destroyed" in done.stderr
    assert lease["lease_id"] in done.stderr
    assert "DeleteConflict" in done.stderr
    assert "Traceback" not in done.stderr
    assert "aws/" in world.vault.sys.list_mounted_secrets_engines()["data"]

    forced = world.tools("destroy", "--force")
    assert forced.returncode == 0, forced.stdout + forced.stderr
    assert f"deleted the IAM user {made}" in forced.stdout
    assert world.user_names() == set()
    with pytest.raises(hvac.exceptions.VaultError):
        world.read("my-role")
