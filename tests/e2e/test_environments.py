"""Environments on the real engine: state in S3, secrets by KMS, the lock, and wrong places."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.conftest import World
from tests.e2e.faults.doors import UP, doors
from tests.e2e.interceptor import Asked, intercepted
from tools.paths import PROJECT
from tools.recovery import Place, recover

pytestmark = pytest.mark.e2e

BUCKET, ALIAS = "pulumi-state", "alias/pulumi-state"
KEEPER = "keeper-of-the-state"


def with_state_in_s3(world: World) -> None:
    """Keeps the world's state in a bucket and its secrets under a key, as docs/environments.md has it."""
    world.aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    kms = world.aws("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=ALIAS, TargetKeyId=key["KeyId"])
    _as_keeper_of_the_state(world, key["Arn"])
    env = world.stack.env
    assert isinstance(env, dict)
    del env["PULUMI_CONFIG_PASSPHRASE_FILE"]
    endpoint = world.env["AWS_ENDPOINT_URL"]
    env["PULUMI_BACKEND_URL"] = f"s3://{BUCKET}?region=us-west-2&endpoint={endpoint}&s3ForcePathStyle=true"
    (world.local.home / "Pulumi.local.yaml").write_text(json.dumps({"config": world.config}))
    done = world.stack.run("stack", "init", "--secrets-provider", f"awskms://{ALIAS}?region=us-west-2", capture=True)
    assert done.returncode == 0, done.stderr


def _as_keeper_of_the_state(world: World, key: str) -> None:
    """Runs the stack with the rights that docs/environments.md names for the state, and the stack's own."""
    [documented] = re.findall(r"```json\n(.*?)```", (PROJECT / "docs" / "environments.md").read_text(), re.DOTALL)
    policy = json.loads(documented.replace("example-pulumi-state", BUCKET).replace("KEY-ARN", key))
    own = ["iam:*", "sts:*", "sns:*", "events:*", "ec2:*"]
    policy["Statement"].append({"Effect": "Allow", "Action": own, "Resource": "*"})
    iam = world.aws("iam")
    iam.create_user(UserName=KEEPER)
    iam.put_user_policy(UserName=KEEPER, PolicyName="state", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName=KEEPER)["AccessKey"]
    assert isinstance(world.stack.env, dict)
    world.stack.env.update(AWS_ACCESS_KEY_ID=made["AccessKeyId"], AWS_SECRET_ACCESS_KEY=made["SecretAccessKey"])


def objects(world: World) -> dict[str, str]:
    """What is in the bucket."""
    s3 = world.aws("s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode(errors="replace") for key in keys}


def refused(world: World) -> str:
    """What an update says that is refused."""
    done = world.pulumi("up", "--yes", "--skip-preview", "--non-interactive", check=False)
    assert done.returncode != 0
    return f"{done.stdout}{done.stderr}"


def test_state_in_s3_is_encrypted_and_locked_for_one_update_at_a_time(world: World) -> None:
    with_state_in_s3(world)
    while_it_runs: list[str] = []

    def done(asked: Asked) -> None:
        if asked.action == "CreateAccessKey":
            while_it_runs.append(refused(world))

    with intercepted(world.env["AWS_ENDPOINT_URL"], after=done) as way:
        world.config["aws:endpoints"][0]["iam"] = way
        world.up()
    assert "the stack is currently locked by 1 lock(s)" in while_it_runs[0]
    stored = objects(world)
    key = world.root_key()
    state = stored[".pulumi/stacks/vault-aws/local.json"]
    assert json.loads(state)["checkpoint"]["latest"]["secrets_providers"]["type"] == "cloud"
    assert key["access_key"] in state
    assert [name for name, text in stored.items() if key["secret_key"] in text] == []


def test_an_update_that_is_killed_with_its_state_in_s3_leaves_no_key(world: World) -> None:
    with_state_in_s3(world)
    with doors(world) as between:
        between.kill_at(world, "CreateAccessKey secrets-engine-local-aws", "after", UP)
        between.open()
        assert "the stack is currently locked by 1 lock(s)" in refused(world)
        assert world.stack.run("cancel", "--yes", capture=True).returncode == 0
        said: list[str] = []
        place = Place("123456789012", "aws", world.aws("iam"), world.vault)
        recover(world.stack, lambda: place, said.append, killed=False)
        assert any(line.startswith("deleted the access key ") for line in said)
        world.up()
    [key] = world.aws("iam").list_access_keys(UserName="secrets-engine-local-aws")["AccessKeyMetadata"]
    assert key["AccessKeyId"] == world.vault.adapter.get("/v1/aws/config/root")["data"]["access_key"]
    assert key["AccessKeyId"] == world.root_key()["access_key"]


class Elsewhere:
    """A Vault of another name, and every request that reaches it."""

    def __init__(self, world: World) -> None:
        self.requests: list[str] = []
        self.world = world

    @contextmanager
    def address(self) -> Iterator[str]:
        def note(asked: Asked) -> None:
            self.requests.append(asked.name)

        with intercepted(self.world.env["VAULT_ADDR"], before=note) as way:
            yield way


def test_the_wrong_vault_and_the_wrong_account_are_refused_before_anything_is_touched(world: World) -> None:
    elsewhere = Elsewhere(world)
    right = world.config["vault:address"]
    with elsewhere.address() as address:
        world.config |= {"vault:address": address, "vault-aws:vault": {"clusterName": "vault-prod"}}
        done = world.pulumi("preview", check=False)
    found = world.vault.sys.read_health_status(method="GET")["cluster_name"]
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert f"nothing was changed; the Vault at {address} has the cluster_name {found!r}, and this stack is for" in said
    assert "'vault-prod'" in said
    assert elsewhere.requests == ["GET sys/seal-status"]

    world.config |= {"vault:address": right, "vault-aws:vault": {"clusterName": found}}
    world.config["aws:allowedAccountIds"] = ["999999999999"]
    done = world.pulumi("preview", check=False)
    assert done.returncode != 0
    assert (
        "nothing was changed; the AWS credentials belong to account 123456789012, and this stack is for 999999999999"
        in done.stdout + done.stderr
    )
    assert world.user_names() == set()
    assert "aws/" not in world.vault.sys.list_mounted_secrets_engines()["data"]
