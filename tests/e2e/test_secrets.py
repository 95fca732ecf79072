"""Secrets stay secret: looked for, by their values, in all that is written and in every process that runs."""

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import hvac
import psutil
import pytest

from tests.e2e.conftest import World
from tools import toolchain
from tools.local_stack import LocalStack
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack
from tools.update import EVENTS

pytestmark = pytest.mark.e2e

PRIVATE = {"passphrase", "root-token", "unseal-key", "aws-administrator.json"}
"""The files of the local stack that hold secrets, since they must be somewhere."""
FOR_CHILDREN = {"Vault's root token", "the administrator's key"}
"""What Pulumi and its providers are given in their environment, and have to."""


@dataclass
class Watch:
    """Looks at the descendants of this process again and again: their arguments, environments, sockets and files.

    Attributes:
        temporary: The folder in which they make temporary files, such as event logs, which are gone when they end.
    """

    temporary: Path
    written: dict[str, str] = field(default_factory=dict)
    listening: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Watch":
        self._thread = threading.Thread(target=self._look_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._ended.wait(0.02):
            for process in psutil.Process().children(recursive=True):
                try:
                    self._look_at(process)
                except psutil.Error:
                    continue
            for path in self.temporary.rglob("*"):
                try:
                    if path.is_file():
                        self.written[f"temporary {path.name} {path.parent.name}"] = path.read_text(errors="replace")
                except OSError:
                    continue

    def _look_at(self, process: psutil.Process) -> None:
        name = process.name()
        self.programs.add(name)
        environment = "\n".join(f"{key}={value}" for key, value in process.environ().items())
        for what, text in (("arguments", "\n".join(process.cmdline())), ("environment", environment)):
            place = f"{what} of {name} {process.pid}"
            # A process becomes another program, and at last nothing.
            if text not in self.written.setdefault(place, ""):
                self.written[place] += f"\n{text}"
        self.listening |= {c.laddr.ip for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN}


def secrets_of(home: Path) -> dict[str, str]:
    """The secrets of a local stack's own files."""
    return {
        "Vault's root token": (home / "root-token").read_text(),
        "Vault's unseal key": (home / "unseal-key").read_text(),
        "the passphrase": (home / "passphrase").read_text(),
        "the administrator's key": json.loads((home / "aws-administrator.json").read_text())["SecretAccessKey"],
    }


def update_with_events(stack: PulumiStack, log: Path) -> None:
    """Makes another key by an update whose events Pulumi writes down."""
    stack.configure("vault-aws:engines.aws.vaultUser.keyGeneration", "3")
    done = stack.given(EVENTS).run("up", "--yes", "--skip-preview", "--event-log", str(log), capture=True)
    assert done.returncode == 0, done.stdout + done.stderr


def key_of_vaults_user(stack: PulumiStack) -> str:
    state = json.loads(stack.run("stack", "export", "--show-secrets", capture=True).stdout)
    [key] = [
        one["outputs"]["secret"]["plaintext"]
        for one in state["deployment"]["resources"]
        if one["type"] == "aws:iam/accessKey:AccessKey" and not one.get("delete")
    ]
    return str(json.loads(key))


def lease_as_a_consumer(vault: hvac.Client) -> Iterator[tuple[str, str]]:
    """Logs in with a secret id, reads a credential of each kind, and tells of the secrets that came."""
    at = "/v1/auth/approle/role/reporting"
    secret_id = vault.adapter.put(f"{at}/secret-id")["data"]["secret_id"]
    yield "a secret id", secret_id
    role_id = vault.adapter.get(f"{at}/role-id")["data"]["role_id"]
    login = vault.adapter.put("/v1/auth/approle/login", json={"role_id": role_id, "secret_id": secret_id})
    yield "a consumer's token", login["auth"]["client_token"]
    consumer = hvac.Client(url=vault.url, token=login["auth"]["client_token"])
    for role in ("report-reader", "report-session"):
        data = consumer.adapter.get(f"/v1/aws/creds/{role}")["data"]
        yield f"a leased key of {role}", data["secret_key"]
        if data["security_token"]:
            yield f"a leased session of {role}", data["security_token"]


def found_in(secrets: dict[str, str], written: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (name, place)
        for name, secret in secrets.items()
        for place, text in written.items()
        if secret in text and not (name in FOR_CHILDREN and place.startswith("environment of "))
    ]


def test_no_secret_is_in_anything_that_is_written_or_run(tmp_path: Path, tools: toolchain.Toolchain) -> None:
    home, temporary, markdown = tmp_path / "home", tmp_path / "temporary", tmp_path / "drift.md"
    temporary.mkdir()
    local = LocalStack(home)
    written: dict[str, str] = {}
    watch = Watch(temporary)

    def run(*words: str, status: int = 0) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tools", *words, "--home", str(home)],
            cwd=PROJECT,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        written[f"what {words[0]} says"] = done.stdout + done.stderr

    try:
        with watch:
            run("up")
            stack = PulumiStack("local", tools.env(os.environ) | local.environment(), local.config_file)
            secrets = secrets_of(home) | {"the first key of Vault's user": key_of_vaults_user(stack)}
            environment = local.environment()
            vault = hvac.Client(url=environment["VAULT_ADDR"], token=environment["VAULT_TOKEN"])
            secrets |= dict(lease_as_a_consumer(vault))
            run("rotate")
            secrets["the second key of Vault's user"] = key_of_vaults_user(stack)
            update_with_events(stack, home / "events.json")
            secrets["the third key of Vault's user"] = key_of_vaults_user(stack)
            run("preview")
            vault.adapter.put("/v1/sys/mounts/aws/tune", json={"description": "by hand"})
            run("drift", "--markdown", str(markdown), status=2)
            run("audit", "--role", "report-reader")
            run("verify")
            run("status")
            for path in home.rglob("*"):
                if path.is_file() and path.name not in PRIVATE:
                    written[str(path.relative_to(home))] = path.read_text(errors="replace")
            run("down", "--force")
        written["drift.md"] = markdown.read_text()
        written |= dict(texts_of(Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")))
    finally:
        local.stop()
    assert len(set(secrets.values())) == len(secrets) == 12
    assert {"vault.log", "aws.log", "audit-1.log", "servers.json", "what up says", "what down says"} <= set(written)
    assert "aws:iam/accessKey:AccessKey" in written["events.json"]
    assert any(place.startswith("state/.pulumi/stacks/") for place in written)
    # What was watched is what runs: the engine, both providers, Vault.
    assert {"pulumi", "pulumi-resource-aws", "pulumi-resource-vault", "bao"} <= {name[:22] for name in watch.programs}
    assert found_in(secrets, written | watch.written) == []
    assert watch.listening
    assert [address for address in watch.listening if not is_loopback(address)] == []


def is_loopback(address: str) -> bool:
    found = ip_address(address)
    # What speaks both IPs may listen on loopback's address in IPv6's clothes.
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def texts_of(folder: Path) -> Iterator[tuple[str, str]]:
    """What Pulumi keeps for itself: small files, plugins left out."""
    for path in folder.rglob("*"):
        if path.is_file() and "plugins" not in path.parts and path.stat().st_size < 2**20:
            yield f"{folder.name}/{path.relative_to(folder)}", path.read_text(errors="replace")


def test_a_secret_that_is_written_is_found(tmp_path: Path) -> None:
    # The test above holds nothing unless this does: the searcher sees arguments, environments and temporary files.
    secrets = {"a": "hunter2-in-arguments", "b": "hunter2-in-an-environment", "c": "hunter2-in-a-file"}
    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('hunter2-in-a-' + 'file'); sys.stdin.read()"
    with Watch(tmp_path) as watch:
        words = [sys.executable, "-c", script, str(tmp_path / "events.json"), secrets["a"]]
        with subprocess.Popen(words, env={"X": secrets["b"]}, stdin=subprocess.PIPE) as process:
            while len({name for name, _ in found_in(secrets, dict(watch.written))}) < len(secrets):
                assert process.poll() is None
            assert process.stdin is not None
            process.stdin.close()
    assert {place.split()[0] for _, place in found_in(secrets, watch.written)} == {
        "arguments",
        "environment",
        "temporary",
    }


def test_files_with_secrets_are_their_owners_alone(shared_world: World) -> None:
    home = shared_world.local.home

    def mode(path: Path) -> str:
        return oct(stat.S_IMODE(path.stat().st_mode))

    assert mode(home) == "0o700"
    others = {"vault.log", "aws.log", "audit-1.log", "audit-2.log", "servers.json", "Pulumi.local.yaml"}
    modes = {name: mode(home / name) for name in PRIVATE | others}
    assert modes == dict.fromkeys(PRIVATE | others, "0o600")
    # No other file of it is one that somebody else may write.
    assert [path for path in home.rglob("*") if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)] == []


def test_servers_listen_on_loopback_and_hold_no_secret_that_a_process_list_shows(shared_world: World) -> None:
    world = shared_world
    secrets = secrets_of(world.local.home)
    for server in world.local.servers:
        processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        listening = {c.laddr.ip for p in processes for c in p.net_connections() if c.status == psutil.CONN_LISTEN}
        assert listening == {"127.0.0.1"}, server.name
        shown: dict[str, Any] = {f"arguments of {p.pid}": "\n".join(p.cmdline()) for p in processes}
        shown |= {f"what {p.pid} was given": "\n".join(p.environ().values()) for p in processes}
        assert found_in(secrets, shown) == []
    assert os.environ.get("VAULT_TOKEN") != world.env["VAULT_TOKEN"]
