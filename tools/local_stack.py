"""The stack `local`: its servers, their secrets and the state of Pulumi, all in one git-ignored folder."""

import json
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.errors import ToolError
from tools.paths import PROJECT
from tools.private_files import write_private
from tools.processes import LOOPBACK, Server, choose_port, start_server, wait_until_ready
from tools.vault_server import TOKEN_FILE, start_vault, unseal

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
        """The servers that were started, whether or not they still run.

        Raises:
            ToolError: Which they are cannot be read.
        """
        file = self.home / "servers.json"
        try:
            return [Server(**server) for server in json.loads(file.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, TypeError, ValueError) as error:
            raise ToolError(
                f"{file} does not say any more which servers run ({error}); end the processes whose command lines name "
                f"{self.home}, remove that folder, and run `make up`"
            ) from None

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
            if unseal(self.home, self.environment()["VAULT_ADDR"]):
                say("the local Vault was sealed; it is unsealed again")
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
        with ExitStack() as unless_whole:
            aws = self._start_aws(chosen["aws"])
            unless_whole.callback(aws.stop)
            vault_server = start_vault(self.home, chosen["vault"], vault=vault, engine_plugin=engine_plugin)
            unless_whole.callback(vault_server.stop)
            self._write_config(template, {"aws": aws.url, "vault": vault_server.url})
            write_private(self.home / "servers.json", json.dumps([asdict(server) for server in (vault_server, aws)]))
            unless_whole.pop_all()

    def stop(self) -> None:
        """Stops what was started, by process id, and removes the folder."""
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """What Pulumi, and a person's shell, need to work with the servers. It holds secrets.

        Raises:
            ToolError: The folder lacks a part of it.
        """
        urls = {server.name: server.url for server in self.servers}
        try:
            key = json.loads((self.home / "aws-administrator.json").read_text(encoding="utf-8"))
            token = (self.home / TOKEN_FILE).read_text(encoding="utf-8")
            return self._environment(urls, key, token)
        except (OSError, KeyError, TypeError, ValueError) as error:
            # Of what is in these files no word may be shown.
            what = error.filename if isinstance(error, OSError) else self.home / "aws-administrator.json"
            raise ToolError(
                f"the local stack lacks its secrets ({what} cannot be read); `make down FORCE=1` stops its servers, "
                "with which all of it ends, and `make up` builds it again from nothing"
            ) from None

    def _environment(self, urls: Mapping[str, str], key: Mapping[str, str], token: str) -> dict[str, str]:
        return {
            "VAULT_ADDR": urls["Vault"],
            "BAO_ADDR": urls["Vault"],
            "VAULT_TOKEN": token,
            "BAO_TOKEN": token,
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
        try:
            wait_until_ready(server, lambda: f"ready {server.url}" in log.read_text(), log=log)
        except BaseException:
            # It has a session of its own, so that Ctrl-C does not reach it.
            server.stop()
            raise
        return server

    def _write_config(self, template: Path, urls: Mapping[str, str]) -> None:
        text = template.read_text()
        for name, url in urls.items():
            text = text.replace(f"http://{LOOPBACK}:{DEFAULT_PORTS[name]}", url)
        write_private(self.config_file, text)
