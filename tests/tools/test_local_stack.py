"""The local stack's folder: damaged, cut short, or left by a start that was broken off."""

import json
from pathlib import Path

import psutil
import pytest

from tools import local_stack
from tools.errors import ToolError
from tools.local_stack import LocalStack
from tools.processes import Server
from tools.processes import start_server as really_start


@pytest.fixture
def local(tmp_path: Path) -> LocalStack:
    return LocalStack(tmp_path)


@pytest.mark.parametrize("text", ['[{"name": "Vault", "url', "5", '{"a": 1}', '[{"name": "Vault"}]', "\udcff"])
def test_a_list_of_servers_that_cannot_be_read_is_said_with_a_way_out(local: LocalStack, text: str) -> None:
    (local.home / "servers.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ToolError, match="does not say any more which servers run") as said:
        _ = local.running
    assert str(said.value).startswith(f"{local.home / 'servers.json'} ")
    assert str(said.value).endswith(f"name {local.home}, remove that folder, and run `make up`")


@pytest.mark.parametrize(
    ("damaged", "text"),
    [
        ("aws-administrator.json", None),
        ("aws-administrator.json", '{"AccessKeyId": "AKIA", "SecretAccessKey": "hidden'),
        ("aws-administrator.json", '{"AccessKeyId": "AKIA"}'),
        ("aws-administrator.json", '["hidden"]'),
        ("root-token", None),
    ],
)
def test_secrets_that_cannot_be_read_are_said_and_not_shown(local: LocalStack, damaged: str, text: str | None) -> None:
    servers = [
        {"name": name, "url": "http://127.0.0.1:1", "pid": 1, "started": 1.0}  # no such process
        for name in ("Vault", "AWS")
    ]
    (local.home / "servers.json").write_text(json.dumps(servers))
    (local.home / "root-token").write_text("hidden")
    (local.home / "aws-administrator.json").write_text('{"AccessKeyId": "AKIA", "SecretAccessKey": "hidden"}')
    assert local.environment()["VAULT_TOKEN"] == "hidden"
    if text is None:
        (local.home / damaged).unlink()
    else:
        (local.home / damaged).write_text(text)
    with pytest.raises(ToolError) as said:
        local.environment()
    assert str(said.value) == (
        f"the local stack lacks its secrets ({local.home / damaged} cannot be read); `make down FORCE=1` stops its "
        "servers, with which all of it ends, and `make up` builds it again from nothing"
    )
    # Its cause holds the text.
    assert said.value.__suppress_context__


def test_a_start_that_is_broken_off_leaves_no_server(local: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Server] = []

    def start_server(*words: object, **more: object) -> Server:
        started.append(really_start(*words, **more))  # type: ignore[arg-type] # passed on as it came
        return started[-1]

    def broken_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(local_stack, "start_server", start_server)
    for moment in ("wait_until_ready", "start_vault"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(local_stack, moment, broken_off)
            local.start(vault=None, engine_plugin=None, say=print, ports={"vault": 0, "aws": 0})
    assert len(started) == 2
    assert not any(psutil.pid_exists(server.pid) and server.alive for server in started)
