"""The way of a change: the workflows' own steps with a pipeline's identities, and one change from branch to prod."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import hvac
import pytest
import yaml

from tests.e2e.issuers import Issuer
from tests.tools.delivery.github import FakeGitHub
from tools.local_stack import LocalStack
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack
from tools.scratch import PROGRAM
from tools.toolchain import Toolchain
from tools.vault_server import find_vault

pytestmark = pytest.mark.e2e

REPOSITORY, BUCKET, ALIAS = "example/vault-aws", "pulumi-state-dev", "alias/pulumi-state-dev"
SUBJECT = "repo:example@12/vault-aws@345"
REPORTS = "policies/report-reader.json"
CLAIMS = {
    "deploy": {"sub": f"{SUBJECT}:environment:dev", "ref": "refs/heads/main", "environment": "dev"},
    "preview": {"sub": f"{SUBJECT}:pull_request", "ref": "refs/pull/7/merge"},
    "drift": {"sub": f"{SUBJECT}:ref:refs/heads/main", "ref": "refs/heads/main"},
}
# It takes minutes, and is what a developer runs all day.
NOT_RUN_HERE = {("preview", "Test what needs no server"), ("nightly", "Fuzz")}


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def cloned(folder: Path) -> Path:
    """A repository with the project as it is here, on a branch `main`."""
    folder.mkdir()
    more = {"Makefile", "README.md", "bootstrap", "policy_pack", "pyproject.toml", "requirements.txt", "tools"}
    more |= {"requirements-dev.txt", ".gitignore", *(path.name for path in PROJECT.glob("Pulumi.*.yaml"))}
    for name in {*PROGRAM, *more}:
        if (PROJECT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".venv")
            shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(PROJECT / name, folder / name)
    (folder / ".venv").symlink_to(PROJECT / ".venv")
    git(folder, "init", "-q", "-b", "main")
    # Here .venv is no folder, so the project's own rule leaves it in.
    (folder / ".git" / "info" / "exclude").write_text(".venv\n")
    commit(folder, "begin")
    return folder


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


def widen(folder: Path) -> None:
    """Lets a role write what it could read, on a branch."""
    git(folder, "switch", "-q", "-c", "widen")
    document = json.loads((folder / REPORTS).read_text())
    actions = document["Statement"][0]["Action"]
    document["Statement"][0]["Action"] = [*([actions] if isinstance(actions, str) else actions), "s3:PutObject"]
    (folder / REPORTS).write_text(json.dumps(document, indent=2) + "\n")
    commit(folder, "Let reports be written")


def by_hand(vault: hvac.Client) -> None:
    """Changes a role behind the stack's back."""
    role = vault.adapter.get("/v1/aws/roles/report-reader")["data"]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    vault.adapter.post("/v1/aws/roles/report-reader", json={**role, "policy_document": json.dumps(document)})


def start(tools: Toolchain, home: Path, template: Path) -> LocalStack:
    """Starts servers on free ports."""
    local = LocalStack(home)
    ports = {"vault": 0, "aws": 0}
    vault = find_vault(os.environ)
    local.start(vault=vault, engine_plugin=tools.engine_plugin, say=print, ports=ports, template=template)
    return local


# --- the workflows' steps ---


def scripts(content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The steps of a workflow or an action that a shell runs, each with its job."""
    jobs = {"runs": content["runs"]} if "runs" in content else content["jobs"]
    for name, job in jobs.items():
        yield from ((name, step) for step in job.get("steps", []) if "run" in step)


@dataclass
class Runner:
    """Runs the steps of jobs as GitHub's runner does: by bash, a fresh checkout a job, values in the environment.

    `ran` are the steps that were, by file and name.
    """

    folder: Path
    outside: Mapping[str, str]
    scratch: Path
    env: dict[str, str] = field(default_factory=dict)
    ran: set[tuple[str, str]] = field(default_factory=set)

    def job(self, **env: str) -> None:
        """Begins a job."""
        shutil.rmtree(self.folder / ".review", ignore_errors=True)
        files = {name: str(self.scratch / name) for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            Path(file).write_text("")
        self.env = {**self.outside, **files, **env}

    def step(self, file: str, name: str, *, succeeds: bool = True, folder: Path | None = None, **env: str) -> str:
        """Runs a step, whose own variables are all given."""
        path = PROJECT / ".github" / file
        [step] = [step for _, step in scripts(yaml.safe_load(path.read_text())) if step.get("name") == name]
        assert set(step.get("env", {})) == set(env)
        script = self.scratch / "step.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=folder or self.folder,
            env=self.env | env,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        said = f"{done.stdout}\n{done.stderr}"
        assert (done.returncode == 0) is succeeds, f"{file}: {name}\n{said}"
        self.ran.add((path.parent.name if path.name == "action.yml" else path.stem, name))
        for line in Path(self.env["GITHUB_ENV"]).read_text().splitlines():
            variable, _, value = line.partition("=")
            self.env[variable] = value
        return said

    def hand_on(self) -> None:
        """Uploads what the job wrote, and downloads it for the next, which begins."""
        shutil.rmtree(self.folder / "reports", ignore_errors=True)
        shutil.copytree(self.folder / ".review", self.folder / "reports")


@dataclass
class Delivery:
    """A repository whose stack `dev` stands on local servers, its state in S3, with the identities of its jobs."""

    runner: Runner
    github: FakeGitHub
    issuer: Issuer
    local: LocalStack
    admin: dict[str, str]
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    region: str = ""

    def enter(self, claims: str) -> None:
        """Begins a job with an identity, as the action `enter` does."""
        purpose = "deploy" if claims == "deploy" else "preview"
        self.github.mint = lambda audience: self.issuer.token(
            aud=audience, actor="octocat", repository=REPOSITORY, **CLAIMS[claims]
        )
        self.runner.job(
            ACTIONS_ID_TOKEN_REQUEST_URL=f"{self.github.url}/id-token",
            ACTIONS_ID_TOKEN_REQUEST_TOKEN="a-token",
            PULUMI_BACKEND_URL=self.admin["PULUMI_BACKEND_URL"],
            AWS_ENDPOINT_URL=self.admin["AWS_ENDPOINT_URL"],
        )
        if not self.region:
            self.runner.step("actions/enter/action.yml", "Find the region", STACK="dev")
            self.region = Path(self.runner.env["GITHUB_OUTPUT"]).read_text().removeprefix("region=").strip()
        # What AWS's own action hands on; the local AWS takes no web identities.
        self.runner.env |= {**self.keys[purpose], "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        said = self.runner.step("actions/enter/action.yml", "Log in to Vault", STACK="dev", PURPOSE=purpose)
        assert said.strip() == f"::add-mask::{self.runner.env['VAULT_TOKEN']}"

    def leave(self, workflow: str) -> None:
        """Ends such a job."""
        said = self.runner.step(f"workflows/{workflow}.yml", "Log out of Vault", STACK="dev")
        assert said.strip() == "the Vault token is given back"

    def change(self, command: str) -> str:
        """What the workflows `up` and `rotate` do with a stack."""
        self.enter("deploy")
        said = self.runner.step("workflows/run-stack.yml", "Run", STACK="dev", COMMAND=command)
        self.leave("run-stack")
        return said

    def look(self) -> None:
        """The workflow `drift`."""
        self.enter("drift")
        self.runner.step("workflows/drift.yml", "Look", STACK="dev")
        self.leave("drift")
        self.report()

    def report(self) -> None:
        """What follows a look, whatever came of it."""
        self.runner.hand_on()
        self.runner.job(**self.github.environ)
        self.runner.step("workflows/drift.yml", "Report", GITHUB_TOKEN="a-token")

    def pulumi(self, folder: Path, *words: str) -> None:
        """Runs Pulumi as an administrator."""
        done = PulumiStack("dev", self.admin, project=folder).run(*words, capture=True)
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def vault(self) -> hvac.Client:
        return hvac.Client(url=self.admin["VAULT_ADDR"], token=self.admin["VAULT_TOKEN"])

    def aws(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.admin["AWS_ENDPOINT_URL"],
            region_name="us-west-2",
            aws_access_key_id=self.admin["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.admin["AWS_SECRET_ACCESS_KEY"],
        )


@pytest.fixture
def delivery(tools: Toolchain, tmp_path: Path) -> Iterator[Delivery]:
    folder = cloned(tmp_path / "clone")
    local = start(tools, tmp_path / "servers", folder / "Pulumi.local.yaml")
    try:
        with FakeGitHub().running() as github:
            admin = tools.env(os.environ) | local.environment()
            del admin["PULUMI_CONFIG_PASSPHRASE_FILE"]
            where = f"endpoint={admin['AWS_ENDPOINT_URL']}&s3ForcePathStyle=true"
            admin["PULUMI_BACKEND_URL"] = f"s3://{BUCKET}?region=us-west-2&{where}"
            secret = ("VAULT_", "BAO_", "AWS_", "PULUMI_", "GITHUB_", "ACTIONS_")
            outside = {name: value for name, value in admin.items() if not name.startswith(secret)}
            made = Delivery(Runner(folder, outside, tmp_path), github, Issuer(), local, admin)
            settle(made)
            yield made
    finally:
        local.stop()


def settle(delivery: Delivery) -> None:
    """What an administrator does once: the state's place, the stack, and the bootstrap program."""
    folder = delivery.runner.folder
    delivery.aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    key = delivery.aws("kms").create_key()["KeyMetadata"]
    delivery.aws("kms").create_alias(AliasName=ALIAS, TargetKeyId=key["KeyId"])
    config = yaml.safe_load(delivery.local.config_file.read_text())["config"]
    config |= {"vault-aws:environment": "dev", "aws:allowedAccountIds": ["123456789012"]}
    for device in config["vault-aws:audit"]["devices"].values():
        device["filePath"] = str(delivery.local.home / device["filePath"])
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}, sort_keys=False))
    own = {
        "repository": REPOSITORY,
        "ids": {"owner": 12, "repository": 345},
        "issuer": delivery.issuer.name,
        "issuerKeys": [delivery.issuer.public_key],
        "state": {"bucket": BUCKET, "key": key["Arn"]},
    }
    connections = {name: value for name, value in config.items() if name.startswith(("aws:", "vault:"))}
    settings = connections | {f"vault-aws-bootstrap:{name}": value for name, value in own.items()}
    bootstrap = folder / "bootstrap"
    (bootstrap / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": settings}, sort_keys=False))
    for place in (folder, bootstrap):
        delivery.pulumi(place, "stack", "init", "--secrets-provider", f"awskms://{ALIAS}?region=us-west-2")
    delivery.pulumi(bootstrap, "up", "--yes", "--skip-preview")
    iam = delivery.aws("iam")
    for purpose in ("deploy", "preview"):
        role, name = f"vault-aws-{purpose}-dev", f"job-{purpose}"
        document = iam.get_role_policy(RoleName=role, PolicyName=purpose)["PolicyDocument"]
        # A user with the role's policy stands for its session.
        iam.create_user(UserName=name)
        policy = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]
        iam.attach_user_policy(UserName=name, PolicyArn=policy["Arn"])
        made = iam.create_access_key(UserName=name)["AccessKey"]
        delivery.keys[purpose] = {
            "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        }
    commit(folder, "Settle dev")
    git(folder, "clone", "-q", "--bare", ".", str(folder.parent / "origin"))


def test_the_workflows_steps_with_their_identities_take_a_change_to_a_stack(delivery: Delivery, tmp_path: Path) -> None:
    runner, folder, github = delivery.runner, delivery.runner.folder, delivery.github
    assert delivery.change("up").count("│ ok │") == 4

    # A pull request that widens a role and takes another away; a fork's gets as far as this, without a credential.
    widen(folder)
    settings = yaml.safe_load((folder / "Pulumi.dev.yaml").read_text())
    del settings["config"]["vault-aws:roles"]["deploy"]
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    commit(folder, "Nobody deploys")
    runner.job()
    runner.step("workflows/preview.yml", "Check settings and policies")
    runner.step("workflows/preview.yml", "Review", BASE="main")
    assert Path(runner.env["GITHUB_OUTPUT"]).read_text() == 'stacks=["dev", "prod", "staging"]\n'
    review = (folder / ".review" / "dev.md").read_text()
    assert "s3:PutObject" in review
    assert review in Path(runner.env["GITHUB_STEP_SUMMARY"]).read_text()

    # The team's own gets Pulumi's word as well, and a comment.
    delivery.enter("preview")
    previewed = runner.step("workflows/preview.yml", "Preview", STACK="dev", NO_COLOR="1")
    assert "warning: deploy would go, and whether leases live on is not known" in previewed
    delivery.leave("preview")
    (folder / ".review" / "dev.md").write_text(review)
    runner.hand_on()
    runner.job(**github.environ)
    runner.step("workflows/preview.yml", "Comment", GITHUB_TOKEN="a-token", NUMBER="7", STACKS='["dev"]')
    [comment] = github.comments.values()
    assert "s3:PutObject" in comment["body"]
    assert "report-reader-role" in comment["body"]

    # It is merged.
    git(folder, "switch", "-q", "main")
    git(folder, "merge", "-q", "widen")
    assert delivery.change("up").count("│ ok │") == 3
    delivery.look()
    assert github.issues == {}

    drifts(delivery)
    logs_in_elsewhere(delivery, tmp_path / "home")

    # The key is rotated, and the repository told so.
    assert "key generation 2" in delivery.change("rotate")
    proposes(delivery, tmp_path)
    assert runner.ran | NOT_RUN_HERE == all_steps()


def drifts(delivery: Delivery) -> None:
    """Somebody works by hand: an issue is opened, is left alone by a look that fails, and closed once it is mended."""
    runner, github = delivery.runner, delivery.github
    by_hand(delivery.vault)
    delivery.look()
    [issue] = github.issues.values()
    assert issue["title"] == "Drift in stack dev"
    assert "aws/roles/report-reader" in issue["body"]
    # A look that fails says nothing of drift.
    before = dict(issue)
    delivery.enter("drift")
    delivery.leave("drift")
    refused = runner.step("workflows/drift.yml", "Look", succeeds=False, STACK="dev")
    assert f"Vault at {delivery.admin['VAULT_ADDR']}" in refused
    (runner.folder / ".review").mkdir(exist_ok=True)
    delivery.report()
    assert issue == before
    # An administrator mends it as the issue says.
    delivery.pulumi(runner.folder, "refresh", "--yes", "--skip-preview")
    assert delivery.change("up").count("│ ok │") == 3
    delivery.look()
    assert issue["state"] == "closed"


def logs_in_elsewhere(delivery: Delivery, home: Path) -> None:
    """What a pipeline that is not GitHub's does, with an id token in its environment."""
    home.mkdir()
    claims = {"aud": delivery.admin["VAULT_ADDR"], "actor": "octocat", "repository": REPOSITORY, **CLAIMS["preview"]}
    env = {**delivery.runner.outside, "HOME": str(home), "VAULT_ID_TOKEN": delivery.issuer.token(**claims)}

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "tools.delivery", *words, "--stack", "dev"]
        done = subprocess.run(command, cwd=delivery.runner.folder, env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert run("log-in", "--role", "vault-aws-preview-dev") == f"the token is in {home}/.vault-token"
    token = (home / ".vault-token").read_text()
    assert hvac.Client(url=delivery.admin["VAULT_ADDR"], token=token).is_authenticated()
    assert run("log-out") == "the Vault token is given back"
    assert not hvac.Client(url=delivery.admin["VAULT_ADDR"], token=token).is_authenticated()
    assert not (home / ".vault-token").exists()


def proposes(delivery: Delivery, tmp_path: Path) -> None:
    """The end of the workflow `rotate`, with a command in the place of GitHub's own."""
    fresh, asked, commands = tmp_path / "fresh", tmp_path / "gh.txt", tmp_path / "commands"
    git(delivery.runner.folder, "push", "-q", str(tmp_path / "origin"), "main")
    git(tmp_path, "clone", "-q", "origin", str(fresh))
    commands.mkdir()
    (commands / "gh").write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    (commands / "gh").chmod(0o755)
    delivery.runner.job()
    delivery.runner.env["PATH"] = f"{commands}:{delivery.runner.env['PATH']}"
    delivery.runner.step("workflows/rotate.yml", "Propose", folder=fresh, GH_TOKEN="a-token", RUN="42")
    assert not asked.exists()
    shutil.copy(delivery.runner.folder / "Pulumi.dev.yaml", fresh)
    delivery.runner.step("workflows/rotate.yml", "Propose", folder=fresh, GH_TOKEN="a-token", RUN="42")
    assert asked.read_text() == "pr create --fill --head rotate-42\n"
    assert "keyGeneration: 2\n" in git(tmp_path / "origin", "diff", "main", "rotate-42")
    assert git(tmp_path / "origin", "diff", "--name-only", "main", "rotate-42") == "Pulumi.dev.yaml\n"


def all_steps() -> set[tuple[str, str]]:
    """Every step that a shell runs, by file and name."""
    files = {path.stem: path for path in (PROJECT / ".github" / "workflows").glob("*.yml")}
    files |= {path.parent.name: path for path in (PROJECT / ".github" / "actions").glob("*/action.yml")}
    return {
        (name, step["name"]) for name, path in files.items() for _, step in scripts(yaml.safe_load(path.read_text()))
    }


# --- the life of a change ---


def test_one_change_goes_from_branch_to_prod(tools: Toolchain, tmp_path: Path) -> None:
    folder = cloned(tmp_path / "clone")
    homes = {name: tmp_path / name for name in ("dev", "staging", "prod")}

    def run(command: str, environment: str, *words: str) -> subprocess.CompletedProcess[str]:
        markdown = ["--markdown", str(tmp_path / f"{environment}.md")] if command == "drift" else []
        done = subprocess.run(
            [sys.executable, "-m", "tools", command, "--home", str(homes[environment]), *markdown, *words],
            cwd=folder,
            env=tools.env(os.environ),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        print(done.stdout, done.stderr)
        return done

    def everywhere(command: str) -> list[subprocess.CompletedProcess[str]]:
        with ThreadPoolExecutor(len(homes)) as pool:
            return list(pool.map(lambda environment: run(command, environment), homes))

    try:
        for home in homes.values():
            start(tools, home, folder / "Pulumi.local.yaml")
        assert [done.returncode for done in everywhere("up")] == [0, 0, 0]

        widen(folder)
        reviewed = subprocess.run(
            [sys.executable, "-m", "tools", "review", "--base", "main"], cwd=folder, capture_output=True, check=False
        )
        assert reviewed.returncode == 0
        assert "s3:PutObject" in (folder / ".review" / "local.md").read_text()
        assert [done.stdout.count("report-reader-role") > 0 for done in everywhere("preview")] == [True] * 3
        git(folder, "switch", "-q", "main")
        git(folder, "merge", "-q", "widen")
        waiting = run("drift", "prod")
        assert waiting.returncode == 2
        assert "not applied" in waiting.stdout
        assert "by hand" not in waiting.stdout
        for environment in homes:
            assert run("up", environment).returncode == 0
        assert [done.returncode for done in everywhere("drift")] == [0, 0, 0]

        prod = LocalStack(homes["prod"])
        env = prod.environment()
        by_hand(hvac.Client(url=env["VAULT_ADDR"], token=env["VAULT_TOKEN"]))
        found = run("drift", "prod")
        assert found.returncode == 2
        assert "aws/roles/report-reader" in found.stdout
        stack = PulumiStack("local", tools.env(os.environ) | env, prod.config_file, folder)
        assert stack.run("refresh", "--yes", "--skip-preview", capture=True).returncode == 0
        assert run("up", "prod").returncode == 0
        assert run("drift", "prod").returncode == 0
    finally:
        for home in homes.values():
            LocalStack(home).stop()
