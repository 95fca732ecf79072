"""The identities of a pipeline: enough for the life of a stack, without a right that it does not use, for its jobs."""

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import hvac
import pytest
import yaml

from documents.delivery import AWS_AUDIENCE
from documents.evaluation import Grant, Request, trusts
from settings.load import from_values
from tests.e2e.conftest import World, start_world
from tests.e2e.issuers import Issuer
from tools import toolchain
from tools.drift.command import unseen
from tools.drift.findings import Finding
from tools.drift.state import State
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("bootstrap")]

REPOSITORY = "example/vault-aws"
DEPLOYS = {
    "repository": REPOSITORY,
    "sub": f"repo:{REPOSITORY}:environment:local",
    "ref": "refs/heads/main",
    "environment": "local",
}
PREVIEWS = {"repository": REPOSITORY, "sub": f"repo:{REPOSITORY}:pull_request", "ref": "refs/pull/7/merge"}
OTHERS: dict[str, dict[str, str | None]] = {
    "another repository": {"repository": "example/other", "sub": "repo:example/other:environment:local"},
    "another branch": {"ref": "refs/heads/feature"},
    "another environment": {"environment": "dev", "sub": f"repo:{REPOSITORY}:environment:dev"},
    "no environment": {"environment": None, "sub": f"repo:{REPOSITORY}:ref:refs/heads/main"},
    "no branch": {"ref": None},
    "a pull request": {"environment": None, "sub": f"repo:{REPOSITORY}:pull_request", "ref": "refs/pull/7/merge"},
    "a longer name": {"sub": f"repo:{REPOSITORY}:environment:local:and:more"},
}
# `make drift` asks it of a key that is not the stack's; later releases of the provider read by calls of their own.
NOT_HERE = {
    "iam:GetAccessKeyLastUsed",
    "events:ListTagsForResource",
    "iam:ListAttachedUserPolicies",
    "iam:ListPolicyTags",
    "iam:ListServiceSpecificCredentials",
    "iam:ListUserTags",
    "sns:ListTagsForResource",
}


@dataclass
class Pipeline:
    """A world with the identities of its pipeline."""

    world: World
    issuer: Issuer
    outputs: dict[str, Any]
    record: Path

    def login(self, purpose: str, **claims: str | None) -> str:
        """The Vault token of a job; raises if Vault lets it not in."""
        given = {
            "aud": self.world.env["VAULT_ADDR"],
            "actor": "octocat",
            **(DEPLOYS if purpose == "deploy" else PREVIEWS),
        }
        token = self.issuer.token(**{claim: value for claim, value in (given | claims).items() if value is not None})
        role = f"vault-aws-{purpose}-local"
        client = hvac.Client(url=self.world.env["VAULT_ADDR"], token="")
        answer = client.adapter.post("/v1/auth/delivery/login", json={"role": role, "jwt": token})
        return str(answer["auth"]["client_token"])

    def trust(self, purpose: str) -> dict[str, Any]:
        """The trust policy of an AWS role."""
        role = self.world.aws("iam").get_role(RoleName=f"vault-aws-{purpose}-local")["Role"]
        policy: dict[str, Any] = role["AssumeRolePolicyDocument"]
        return policy

    def policy(self, purpose: str) -> dict[str, Any]:
        """What an AWS role may do."""
        document: dict[str, Any] = self.world.aws("iam").get_role_policy(
            RoleName=f"vault-aws-{purpose}-local", PolicyName=purpose
        )["PolicyDocument"]
        return document

    def rights_of(self, purpose: str) -> tuple[PulumiStack, str]:
        """The world's stack as a job runs it, and the id of the job's key."""
        iam, name = self.world.aws("iam"), f"job-{purpose}"
        # The local AWS takes no web identities: a user with the role's policy stands for the session.
        iam.create_user(UserName=name)
        policy = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(self.policy(purpose)))["Policy"]
        iam.attach_user_policy(UserName=name, PolicyArn=policy["Arn"])
        key = iam.create_access_key(UserName=name)["AccessKey"]
        env = {
            **self.world.stack.env,
            "VAULT_TOKEN": self.login(purpose),
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        return replace(self.world.stack, env=env), key["AccessKeyId"]

    def needless(self, purpose: str, *keys: str) -> set[str]:
        """The actions that a role may do and that nobody with these keys did; those on the state apart."""
        listed = [statement["Action"] for statement in self.policy(purpose)["Statement"]]
        allowed = {action for actions in listed for action in ([actions] if isinstance(actions, str) else actions)}
        done = {action for owner, action in _asked(self.record) if owner in keys}
        return {action for action in allowed - done - NOT_HERE if not action.startswith("s3:")}


def _asked(record: Path) -> Iterator[tuple[str, str]]:
    for line in record.read_text().splitlines():
        entry = json.loads(line)
        scope = entry["headers"].get("Authorization", "").partition("Credential=")[2].split("/")
        if len(scope) > 3:
            body = base64.b64decode(entry["body"]).decode() if entry["body_encoded"] else entry["body"]
            target = entry["headers"].get("X-Amz-Target", "").rpartition(".")[2]
            yield scope[0], f"{scope[3]}:{target or parse_qs(body).get('Action', [''])[0]}"


@pytest.fixture(scope="module")
def pipeline(tools: toolchain.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("bootstrap")
    record = folder / "aws-requests"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_ENABLE_RECORDING", "true")
        patch.setenv("MOTO_RECORDER_FILEPATH", str(record))
        world = start_world(tools, folder)
    try:
        issuer = Issuer()
        engine = {**world.engine, "vaultUser": {"keyMade": "2026-11-24"}}
        world.config["vault-aws:engines"] = {"aws": engine, "seeded": {**engine, "rotation": "vault", "vaultUser": {}}}
        for role in world.roles.values():
            role["engine"] = "aws"
        world.roles["seeded-reader"] = {**world.roles["report-reader"], "engine": "seeded"}
        world.config["aws:defaultTags"] = {"tags": {"owner": "platform", "old": "yes"}}
        world.write()
        shutil.copy(world.local.config_file, world.stack.project)
        shutil.copytree(PROJECT / "bootstrap", world.stack.project / "bootstrap")
        (world.stack.project / "bootstrap" / ".venv").symlink_to(PROJECT / ".venv")
        yield Pipeline(world, issuer, _bootstrapped(world, issuer), record)
    finally:
        world.local.stop()


def _bootstrapped(world: World, issuer: Issuer) -> dict[str, Any]:
    folder = world.stack.project / "bootstrap"
    connections = {key: value for key, value in world.config.items() if key.startswith(("aws:", "vault:"))}
    own = {
        "vault:address": world.env["VAULT_ADDR"],
        "vault-aws-bootstrap:repository": REPOSITORY,
        "vault-aws-bootstrap:issuer": issuer.name,
        "vault-aws-bootstrap:issuerKeys": [issuer.public_key],
        "vault-aws-bootstrap:state": {"bucket": "reports", "prefix": "state/"},
    }
    (folder / "Pulumi.local.yaml").write_text(yaml.safe_dump({"config": connections | own}))
    stack = PulumiStack("local", world.stack.env, None, folder)
    for words in (["stack", "init"], ["up", "--yes", "--skip-preview"], ["up", "--yes", "--expect-no-changes"]):
        done = stack.run(*words, capture=True)
        assert done.returncode == 0, done.stdout + done.stderr
    outputs: dict[str, Any] = json.loads(stack.run("stack", "output", "--json", capture=True).stdout)
    return outputs


def test_it_says_where_the_jobs_log_in(pipeline: Pipeline) -> None:
    assert pipeline.outputs == {
        "awsRoles": {
            purpose: f"arn:aws:iam::123456789012:role/delivery/vault-aws-{purpose}-local"
            for purpose in ("deploy", "preview")
        },
        "vaultLogins": {
            purpose: {"path": "auth/delivery/login", "role": f"vault-aws-{purpose}-local"}
            for purpose in ("deploy", "preview")
        },
    }


@pytest.mark.parametrize("other", OTHERS)
def test_nobody_elses_job_may_make_changes(pipeline: Pipeline, other: str) -> None:
    with pytest.raises(hvac.exceptions.InvalidRequest, match="claim"):
        pipeline.login("deploy", **OTHERS[other])
    assert _grant(pipeline.trust("deploy"), DEPLOYS | OTHERS[other]) is Grant.NONE


def test_a_job_for_another_audience_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(hvac.exceptions.InvalidRequest, match="audience"):
        pipeline.login("deploy", aud="https://vault.example.com")
    assert _grant(pipeline.trust("deploy"), {**DEPLOYS, "aud": "https://vault.example.com"}) is Grant.NONE


@pytest.mark.parametrize(
    ("claims", "let_in"),
    [
        (PREVIEWS, True),
        ({**PREVIEWS, "sub": f"repo:{REPOSITORY}:ref:refs/heads/main"}, True),
        ({**PREVIEWS, "sub": f"repo:{REPOSITORY}:ref:refs/heads/feature"}, False),
        ({**PREVIEWS, "repository": "stranger/vault-aws"}, False),
        ({**PREVIEWS, "sub": "repo:stranger/vault-aws:pull_request"}, False),
    ],
)
def test_previews_are_of_the_own_repository(pipeline: Pipeline, claims: dict[str, str], let_in: bool) -> None:
    assert (_grant(pipeline.trust("preview"), claims) is Grant.PRINCIPAL) is let_in
    if let_in:
        assert pipeline.login("preview", **claims)
    else:
        with pytest.raises(hvac.exceptions.InvalidRequest, match="claim"):
            pipeline.login("preview", **claims)


def _grant(trust: dict[str, Any], claims: dict[str, Any]) -> Grant:
    provider = "arn:aws:iam::123456789012:oidc-provider/issuer.example"
    given = {"aud": AWS_AUDIENCE, **claims}
    context = {f"issuer.example:{claim}": value for claim, value in given.items() if value is not None}
    return trusts(trust, Request("sts:AssumeRoleWithWebIdentity", "*", context), provider)


def test_the_rights_are_enough_and_none_is_needless(pipeline: Pipeline) -> None:
    world = pipeline.world
    (deploying, deployer), (previewing, reader) = pipeline.rights_of("deploy"), pipeline.rights_of("preview")
    world.stack = deploying
    world.up()
    world.apply()

    world.stack = previewing
    assert world.changes() == {}
    world.pulumi("refresh", "--preview-only", "--expect-no-changes")
    assert drift(world) == []
    world.roles["added"] = {**world.roles["report-reader"]}
    assert set(world.changes()) == {"added-role", "aws-added"}
    refused = world.pulumi("up", "--yes", "--skip-preview", check=False)
    assert refused.returncode != 0
    assert "permission denied" in refused.stdout
    assert pipeline.needless("preview", reader) == set()

    world.stack = deploying
    world.engine["vaultUser"] = {"keyGeneration": 2}
    world.config["aws:defaultTags"] = {"tags": {"owner": "security"}}
    world.roles["deploy"]["roleArns"] = ["arn:aws:iam::123456789012:role/deploy-two"]
    world.config["vault-aws:engines"]["seeded"]["maxRetries"] = 3
    world.up()
    world.pulumi("refresh", "--yes")
    world.pulumi("destroy", "--yes", "--skip-preview")
    assert "aws/" not in world.vault.sys.list_mounted_secrets_engines()["data"]
    assert pipeline.needless("deploy", deployer, reader) == set()


def drift(world: World) -> list[Finding]:
    """What `make drift` finds beside Pulumi, with the rights of the world's stack."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.stack.env.items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        state = State.of(world.pulumi("stack", "export").stdout, "local")
        settings = from_values(world.config, "local", "Pulumi.local.yaml")
        return list(
            unseen(state, settings, hvac.Client(url=world.env["VAULT_ADDR"], token=world.stack.env["VAULT_TOKEN"]))
        )
