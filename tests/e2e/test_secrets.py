"""Secrets stay secret: looked for, by their values, in all that is written."""

import os
import stat
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import World

pytestmark = pytest.mark.e2e


def test_no_secret_is_in_state_outputs_logs_or_the_diff(world: World) -> None:
    written = {"up": world.up()}
    first = world.root_key()["secret_key"]
    world.engine["vaultUser"] = {"keyGeneration": 2}
    for words in (("preview", "--diff"), ("up", "--yes", "--diff", "--non-interactive"), ("stack", "output", "--json")):
        done = world.pulumi(*words)
        written[" ".join(words)] = done.stdout + done.stderr
    second = world.root_key()["secret_key"]
    lease = world.read("my-role")["data"]
    secrets = {
        "the first key of Vault's user": first,
        "the second key of Vault's user": second,
        "a leased key": lease["secret_key"],
        "the administrator's key": world.env["AWS_SECRET_ACCESS_KEY"],
        "Vault's root token": world.env["VAULT_TOKEN"],
        "the passphrase": (world.local.home / "passphrase").read_text(),
    }
    private = {"passphrase", "root-token", "aws-administrator.json"}
    for path in world.local.home.rglob("*"):
        if path.is_file() and path.name not in private:
            written[str(path.relative_to(world.local.home))] = path.read_text(errors="replace")
    assert any(name.startswith("state/") for name in written)
    found = [(name, place) for name, secret in secrets.items() for place, text in written.items() if secret in text]
    assert found == []


def test_files_with_secrets_are_their_owners_alone(world: World) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(world.local.home) == 0o700
    for name in ("passphrase", "root-token", "aws-administrator.json", "vault.log", "aws.log"):
        assert (name, oct(mode(world.local.home / name))) == (name, "0o600")


def test_servers_listen_on_loopback_and_keep_secrets_out_of_their_arguments(world: World) -> None:
    for server in world.local.servers:
        processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        listening = {c.laddr.ip for p in processes for c in p.net_connections() if c.status == psutil.CONN_LISTEN}
        assert listening == {"127.0.0.1"}, server.name
        arguments = " ".join(word for process in processes for word in process.cmdline())
        for name in ("VAULT_TOKEN", "AWS_SECRET_ACCESS_KEY"):
            assert world.env[name] not in arguments
    assert os.environ.get("VAULT_TOKEN") != world.env["VAULT_TOKEN"]
