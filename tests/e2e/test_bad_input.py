"""A stack with faults: all of them said, nothing changed, no traceback."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import World

pytestmark = pytest.mark.e2e


def test_faults_stop_a_preview_and_an_up_before_anything_is_made(new_world: Callable[[], World]) -> None:
    world = new_world()
    world.roles["my-role"]["polcy"] = "x"
    world.roles["deploy"]["maxStsTtl"] = "5h"
    world.roles["report-reader"]["policy"] = "missing.json"
    world.policy("my-role.json", {"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*"})
    for words in (("preview",), ("up", "--yes", "--skip-preview", "--non-interactive")):
        done = world.pulumi(*words, check=False)
        said = done.stdout + done.stderr
        assert done.returncode != 0
        for fault in (
            "Pulumi.local.yaml: roles.my-role.polcy: is not a setting; did you mean 'policy'?",
            "policies/missing.json (role report-reader)",
            "policies/my-role.json (role my-role): Statement[0].Action: 's3:GetObjekt'",
        ):
            assert fault in said
        assert "Traceback" not in said
    assert world.user_names() == set()
    assert "aws/" not in world.vault.sys.list_mounted_secrets_engines()["data"]


def everything(world: World) -> dict[str, Any]:
    """The state, and what is there of the stack in Vault and in AWS."""
    vault, iam = world.vault, world.aws("iam")
    # Pulumi encrypts what it has not changed anew, so that only what is decrypted can be compared.
    state = json.loads(world.stack.run("stack", "export", "--show-secrets", capture=True).stdout)["deployment"]
    # An update that fails at its first step may write the resources in another order, and when it looked at the stack.
    resources = {one["urn"]: {**one, "modified": None} for one in state["resources"]}
    return {
        "pending": state.get("pending_operations"),
        **{urn.rsplit("::", 1)[-1] + " " + one["type"]: one for urn, one in resources.items()},
        "mounts": vault.sys.list_mounted_secrets_engines()["data"],
        "methods": vault.sys.list_auth_methods()["data"],
        "policies": {
            name: vault.sys.read_policy(name)["data"]["rules"] for name in vault.sys.list_policies()["data"]["policies"]
        },
        "roles": [
            vault.adapter.get(f"/v1/aws/roles/{name}")["data"]
            for name in vault.adapter.list("/v1/aws/roles")["data"]["keys"]
        ],
        "users": world.user_names(),
        "keys": iam.list_access_keys(UserName="secrets-engine-local-aws")["AccessKeyMetadata"],
        "attached": iam.list_attached_user_policies(UserName="secrets-engine-local-aws")["AttachedPolicies"],
    }


def test_faults_change_nothing_of_a_stack_that_stands(shared_world: World) -> None:
    world = shared_world
    before = everything(world)
    good = world.local.config_file.read_text()
    file = world.local.config_file
    # Each would also change something that is right.
    right = good.replace("defaultLeaseTtl: 1h", "defaultLeaseTtl: 2h").replace("15m", "20m")
    assert right != good
    faulty = {
        "a role's key": right.replace("policy: report-reader.json", "polcy: report-reader.json"),
        "a sign that nobody sees": right.replace("team: reporting", 'team: "\\e[31mreporting"'),
        "values without end": right + "  vault-aws:access: &a {reporting: *a}\n",
        "a tag": right + "  vault-aws:protect: !!python/object/apply:os.system [id]\n",
        "half a file": right[: len(right) // 2] + "\n  {",
    }
    try:
        for what, text in faulty.items():
            file.write_text(text)
            for words in (("preview",), ("up", "--yes", "--skip-preview", "--non-interactive")):
                done = world.stack.run(*words, capture=True)
                said = done.stdout + done.stderr
                assert done.returncode != 0, what
                assert "Traceback" not in said, said
    finally:
        file.write_text(good)
    world.deployed = ""
    assert everything(world) == before
    assert world.changes() == {}


def test_what_vault_refuses_is_said_without_a_traceback(shared_world: World) -> None:
    world = shared_world
    # The engine of the embedded server knows three credential types; the fourth takes Vault 1.16.
    world.roles["me"] = {"credentialType": "session_token"}
    world.deployed = ""
    done = world.pulumi("up", "--yes", "--skip-preview", "--non-interactive", check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "unrecognized credential type: session_token" in said
    assert "Traceback" not in said
    del world.roles["me"]
    world.up()
    assert world.changes() == {}


def test_a_wrong_aws_key_is_said_without_a_traceback(shared_world: World) -> None:
    world = shared_world
    wrong = {**world.stack.env, "AWS_SECRET_ACCESS_KEY": "wrong"}
    stack = type(world.stack)(world.stack.name, wrong, world.stack.config_file, world.stack.project)
    done = stack.run("preview", "--non-interactive", capture=True)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "SignatureDoesNotMatch" in said
    assert "Traceback" not in said


def test_a_policy_over_awss_limit_never_reaches_vault(shared_world: World) -> None:
    world = shared_world
    arns = [f"arn:aws:s3:::bucket-{number:04}/*" for number in range(100)]
    world.policy("my-role.json", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": arns})
    done = world.pulumi("preview", check=False)
    assert done.returncode != 0
    assert "2,048" in done.stdout + done.stderr
    assert json.dumps(arns[0]) not in done.stderr
