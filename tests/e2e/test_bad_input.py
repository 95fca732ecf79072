"""A stack with faults: all of them said, nothing changed, no traceback."""

import json
from collections.abc import Callable

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
