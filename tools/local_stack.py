"""The stack `local`: its servers, their secrets and the state of Pulumi, all in one git-ignored folder."""

import json
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.paths import PROJECT
from tools.private_files import write_private
from tools.processes import LOOPBACK, Server, choose_port, start_server, wait_until_ready
from tools.vault_server import TOKEN_FILE, start_vault

DEFAULT_PORTS = {"vault": 8200, "aws": 4566}
"""The ports that Pulumi.local.yaml names."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class LocalStack:
    """A folder with everything of one local stack; removing it removes the stack.

    Attributes:
        home: The folder, made when the servers start, for its owner alone.
    """

    home: Path

    @property
    def servers(self) -> list[Server]:
        """The servers that were started, whether or not they still run."""
        try:
            return [Server(**server) for server in json.loads((self.home / "servers.json").read_text())]
        except FileNotFoundError:
            return []

    @property
    def running(self) -> bool:
        """Whether all of its servers run."""
        return bool(self.servers) and all(server.alive for server in self.servers)

    @property
    def config_file(self) -> Path:
        """The stack's configuration: Pulumi.local.yaml with the addresses of these servers."""
        return self.home / "Pulumi.local.yaml"

    def start(
        self,
        *,
        vault: Path | None,
        engine_plugin: Path | None,
        say: Say,
        ports: Mapping[str, int] = DEFAULT_PORTS,
        template: Path = PROJECT / "Pulumi.local.yaml",
    ) -> None:
        """Starts the servers unless they run; from nothing, if some have died.

        Args:
            vault: The user's `vault`, or None for OpenBao.
            engine_plugin: Vault's AWS engine as a plugin, for OpenBao.
            say: Takes one line for each thing worth knowing.
            ports: The ports to take if they are free; 0 takes any.
            template: The configuration whose addresses are replaced.

        Raises:
            ToolError: A server did not start; what had started is stopped.
        """
        if self.running:
            return
        if self.servers:
            say("the local servers do not run any more; the local stack is built again from nothing")
            self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(mode=0o700, parents=True)
        (self.home / "state").mkdir()
        shutil.copy(PROJECT / "Pulumi.yaml", self.home)
        write_private(self.home / "passphrase", secrets.token_urlsafe(32))
        names = {"vault": "Vault", "aws": "AWS"}
        chosen = {name: choose_port(port, say, names[name]) for name, port in ports.items()}
        aws = self._start_aws(chosen["aws"])
        try:
            vault_server = start_vault(self.home, chosen["vault"], vault=vault, engine_plugin=engine_plugin)
        except BaseException:
            aws.stop()
            raise
        self._write_config(template, {"aws": aws.url, "vault": vault_server.url})
        write_private(self.home / "servers.json", json.dumps([asdict(server) for server in (vault_server, aws)]))

    def stop(self) -> None:
        """Stops what was started, by process id, and removes the folder."""
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """What Pulumi, and a person's shell, need to work with the servers. It holds secrets."""
        urls = {server.name: server.url for server in self.servers}
        key = json.loads((self.home / "aws-administrator.json").read_text())
        return {
            "VAULT_ADDR": urls["Vault"],
            "BAO_ADDR": urls["Vault"],
            "VAULT_TOKEN": (self.home / TOKEN_FILE).read_text(),
            "BAO_TOKEN": (self.home / TOKEN_FILE).read_text(),
            "AWS_ENDPOINT_URL": urls["AWS"],
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_REGION": "us-west-2",
            "AWS_DEFAULT_REGION": "us-west-2",
            "PULUMI_BACKEND_URL": (self.home / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.home / "passphrase"),
        }

    def _start_aws(self, port: int) -> Server:
        log, credentials = self.home / "aws.log", self.home / "aws-administrator.json"
        command = [
            sys.executable,
            "-m",
            "tools.local_aws",
            "--port",
            str(port),
            "--credentials",
            str(credentials),
        ]
        server = start_server("AWS", f"http://{LOOPBACK}:{port}", command, log=log, cwd=PROJECT)
        wait_until_ready(server, lambda: f"ready {server.url}" in log.read_text(), log=log)
        return server

    def _write_config(self, template: Path, urls: Mapping[str, str]) -> None:
        text = template.read_text()
        for name, url in urls.items():
            text = text.replace(f"http://{LOOPBACK}:{DEFAULT_PORTS[name]}", url)
        write_private(self.config_file, text)
