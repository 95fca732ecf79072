"""Worlds for tests: servers, a copy of the project, and the stack `local` on both.

A test that can leave a world as it found it takes `shared_world`, whose stack stands already; one that cannot makes
a world of its own. An update takes seconds, and these tests are most of what `make test` takes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import hvac
import pytest
import yaml

from tools import toolchain
from tools.local_stack import LocalStack
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack
from tools.scratch import start_scratch
from tools.update import EVENTS, read_events
from tools.vault_server import find_vault


@dataclass
class World:
    """What a test works on; `config` is the stack's file as values, written before each command.

    `deployed` is what the last update that succeeded was made from.
    """

    local: LocalStack
    stack: PulumiStack
    env: dict[str, str]
    config: dict[str, Any]
    deployed: str = ""

    @property
    def roles(self) -> dict[str, Any]:
        """The declared roles, to be changed at will."""
        roles: dict[str, Any] = self.config["vault-aws:roles"]
        return roles

    @property
    def engine(self) -> dict[str, Any]:
        """The declared engine, to be changed at will."""
        engine: dict[str, Any] = self.config["vault-aws:engines"]["aws"]
        return engine

    def policy(self, name: str, *statements: dict[str, Any]) -> None:
        """Writes a policy document of this world."""
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        (self.stack.project / "policies" / name).write_text(json.dumps(document))

    def pulumi(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs Pulumi on the stack and fails the test with its words when it fails."""
        self.write()
        done = self.stack.run(*words, capture=True)
        if check and done.returncode:
            pytest.fail(f"pulumi {' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def destroy(self) -> None:
        """Destroys the stack, as Pulumi does it alone."""
        self.deployed = ""
        self.pulumi("destroy", "--yes", "--skip-preview")

    def write(self) -> None:
        """Writes the stack's file."""
        content = yaml.safe_load(self.local.config_file.read_text())
        content["config"] = self.config
        self.local.config_file.write_text(yaml.safe_dump(content, sort_keys=False))

    def tools(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs `python -m tools`, as make does, on this world."""
        return run_tools(self.local.home, *words)

    def up(self, *words: str) -> str:
        """Runs an update, unless it is plain and nothing has changed since the last; returns what it printed."""
        declared = self.declared()
        if declared == self.deployed and not words:
            return ""
        self.deployed = ""
        done = self.pulumi("up", "--yes", "--skip-preview", "--non-interactive", *words)
        self.deployed = declared
        return done.stdout + done.stderr

    def apply(self) -> dict[str, str]:
        """Runs an update; returns what it did, by resource name, nothing that stayed the same."""
        events = self.local.home / "events.json"
        events.unlink(missing_ok=True)
        self.stack = self.stack.given(EVENTS)
        self.up("--event-log", str(events))
        return {change.urn.split("::", 3)[-1]: change.operation for change in read_events(events).changes}

    def declared(self) -> str:
        """All that the stack is made from, for comparison."""
        policies = {str(path): path.read_text() for path in sorted((self.stack.project / "policies").rglob("*.json"))}
        return json.dumps([self.config, policies], default=str, sort_keys=True)

    def changes(self) -> dict[str, str]:
        """What an update would do, by resource name; nothing that stays the same."""
        steps = json.loads(self.pulumi("preview", "--json").stdout)["steps"]
        return {step["urn"].split("::", 3)[-1]: step["op"] for step in steps if step["op"] not in {"same", "read"}}

    @property
    def vault(self) -> hvac.Client:
        return hvac.Client(url=self.env["VAULT_ADDR"], token=self.env["VAULT_TOKEN"])

    def read(self, role: str) -> dict[str, Any]:
        """A credential of a role, as `vault read aws/creds/ROLE` gives it."""
        answer: dict[str, Any] = self.vault.adapter.get(f"/v1/aws/creds/{role}")
        return answer

    def aws(self, service: str, key: dict[str, Any] | None = None) -> Any:
        """A client of the local AWS: as the administrator, or with a credential from Vault."""
        key = key or {
            "access_key": self.env["AWS_ACCESS_KEY_ID"],
            "secret_key": self.env["AWS_SECRET_ACCESS_KEY"],
            "security_token": None,
        }
        return boto3.client(
            service,
            endpoint_url=self.env["AWS_ENDPOINT_URL"],
            region_name="us-west-2",
            aws_access_key_id=key["access_key"],
            aws_secret_access_key=key["secret_key"],
            aws_session_token=key["security_token"],
        )

    def root_key(self) -> dict[str, Any]:
        """The key that the stack gave to Vault, from the state."""
        state = json.loads(self.pulumi("stack", "export", "--show-secrets").stdout)
        [key] = [
            resource["outputs"]
            for resource in state["deployment"]["resources"]
            if resource["type"] == "aws:iam/accessKey:AccessKey" and not resource.get("delete")
        ]
        secret = key["secret"]["plaintext"] if isinstance(key["secret"], dict) else key["secret"]
        return {"access_key": key["id"], "secret_key": json.loads(secret), "security_token": None}

    def user_names(self, path: str = "/") -> set[str]:
        """The IAM users of the account but the administrator."""
        users = self.aws("iam").list_users(PathPrefix=path)["Users"]
        return {user["UserName"] for user in users} - {"pulumi-administrator"}


def run_tools(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m tools`, as make does, for the local stack in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "tools", *words, "--home", str(home)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="session")
def tools() -> toolchain.Toolchain:
    """The toolchain, built before the first test that needs it."""
    return toolchain.find(need_engine=find_vault(os.environ) is None)


def start_world(tools: toolchain.Toolchain, folder: Path) -> World:
    """A world in a new folder, its servers running; stop them by `world.local.stop()`."""
    made = start_scratch(tools, folder, say=print)
    config = yaml.safe_load(made.local.config_file.read_text())["config"]
    return World(made.local, made.stack, made.local.environment(), config)


@pytest.fixture(scope="session")
def _standing(tools: toolchain.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = start_world(tools, tmp_path_factory.mktemp("standing"))
    yield world
    world.local.stop()


@pytest.fixture
def shared_world(_standing: World) -> Iterator[World]:
    """A world whose stack stands, as Pulumi.local.yaml has it; its leases end with the test.

    What a test makes in AWS itself stays: tests use names of their own.
    """
    config = json.dumps(_standing.config)
    policies = {path: path.read_text() for path in (_standing.stack.project / "policies").rglob("*.json")}
    _standing.up()
    yield _standing
    for mount in _standing.vault.sys.list_mounted_secrets_engines()["data"]:
        if "aws" in mount:
            leases = f"/v1/sys/leases/revoke-prefix/{mount.rstrip('/')}"
            # A user of a lease carries the boundary, which the next test may want to delete.
            _standing.vault.adapter.put(leases, json={"sync": True})
    _standing.config = json.loads(config)
    for path in (_standing.stack.project / "policies").rglob("*.json"):
        if path not in policies:
            path.unlink()
    for path, text in policies.items():
        path.write_text(text)


@pytest.fixture
def new_world(tools: toolchain.Toolchain, tmp_path: Path) -> Iterator[Callable[[], World]]:
    """Makes worlds, and ends their servers with the test."""
    made: list[World] = []

    def make() -> World:
        made.append(start_world(tools, tmp_path / f"world-{len(made)}"))
        return made[-1]

    yield make
    for world in made:
        world.local.stop()


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    return new_world()
