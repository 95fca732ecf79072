"""What every measurement needs: servers that end with it, and a file that keeps what was measured so far."""

import compileall
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import hvac
import yaml

from tools.errors import ToolError
from tools.local_stack import DEFAULT_PORTS, Say
from tools.processes import LOOPBACK
from tools.scratch import Scratch, start_scratch
from tools.toolchain import Toolchain

_PATIENCE: Final = 300
"""Seconds to wait for Vault, which revokes many leases in one call."""


@dataclass(frozen=True)
class Session:
    """One run of a measurement.

    Attributes:
        tools: The toolchain.
        say: Takes one line of progress.
        kept: Where the result is written after each step, so that a run that is cut short is not lost.
        result: The result so far, as JSON has it; `failures` names what did not end well.
    """

    tools: Toolchain
    say: Say
    kept: Path
    result: dict[str, Any]
    starts: list[float] = field(default_factory=list)

    @contextlib.contextmanager
    def servers(self) -> Iterator["Servers"]:
        """New servers and a copy of the project, which end with the block; `starts` has how long they took."""
        with TemporaryDirectory(prefix="vault-aws-bench-", ignore_cleanup_errors=True) as name:
            scratch = start_scratch(self.tools, Path(name), say=self.say, more=("tools", "policy_pack"))
            self.starts.append(scratch.started_in)
            try:
                # As in a project that has been used before: no command compiles its modules anew.
                compileall.compile_dir(scratch.stack.project, quiet=2)
                yield Servers(scratch, Path(name))
            finally:
                scratch.local.stop()

    def attempt(self, what: str, action: Callable[[], None]) -> bool:
        """Runs a part of the measurement; one that fails is said and recorded, and the run goes on.

        Returns:
            Whether it ended well.
        """
        try:
            action()
        except (ToolError, hvac.exceptions.VaultError, OSError) as error:
            self.say(f"{what} failed: {error}")
            self.result["failures"].append({"what": what, "reason": str(error)})
        else:
            return True
        finally:
            self.save()
        return False

    def row(self, part: str, key: dict[str, Any]) -> dict[str, Any]:
        """The row of a part of the result by what it is of, with lists of `seconds` and `bytes`; made if need be."""
        rows: list[dict[str, Any]] = self.result[part]
        for row in rows:
            if key.items() <= row.items():
                return row
        rows.append({**key, "seconds": [], "bytes": []})
        return rows[-1]

    def save(self) -> None:
        """Writes the result so far."""
        write_result(self.kept, self.result)


@dataclass(frozen=True)
class Servers:
    """Servers of one part of a measurement.

    Attributes:
        scratch: The copy of the project, and its servers.
        folder: A folder for files, which goes with them.
    """

    scratch: Scratch
    folder: Path

    @property
    def config(self) -> dict[str, Any]:
        """Pulumi.local.yaml's configuration with the addresses of these servers, as it was at the start."""
        text = (self.scratch.stack.project / "Pulumi.local.yaml").read_text()
        urls = self.scratch.local.environment()
        for name, url in (("aws", urls["AWS_ENDPOINT_URL"]), ("vault", urls["VAULT_ADDR"])):
            text = text.replace(f"http://{LOOPBACK}:{DEFAULT_PORTS[name]}", url)
        config: dict[str, Any] = yaml.safe_load(text)["config"]
        return config

    @property
    def log(self) -> Path:
        """What Pulumi prints."""
        return self.folder / "pulumi.log"

    @property
    def ids(self) -> set[int]:
        """The servers' process ids."""
        return {server.pid for server in self.scratch.local.servers}

    @property
    def vault(self) -> hvac.Client:
        """A client with the root token."""
        env = self.scratch.local.environment()
        return hvac.Client(url=env["VAULT_ADDR"], token=env["VAULT_TOKEN"], timeout=_PATIENCE)

    def roles(self, mount: str) -> int | None:
        """How many roles a mount has; None if nothing is mounted there."""
        if f"{mount}/" not in self.vault.sys.list_mounted_secrets_engines()["data"]:
            return None
        answer = self.vault.adapter.get(f"/v1/{mount}/roles", params={"list": "true"})
        return len(answer["data"]["keys"])


def write_result(path: Path, result: Mapping[str, Any]) -> None:
    """Writes a run's figures, so far or in full."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{json.dumps(result, indent=1)}\n", encoding="utf-8")
