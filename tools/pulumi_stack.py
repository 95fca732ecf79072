"""One Pulumi stack and how to run the CLI on it."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.errors import ToolError
from tools.paths import PROJECT
from tools.private_files import write_private

_CHILD_SETTINGS = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
# Without compiled modules each run would compile the providers' SDKs again, which takes seconds.
_NOT_FOR_CHILDREN = ("PYTHONDONTWRITEBYTECODE",)
_WAY_OUT = (
    "\nif it was cut off when an update was killed: a backend of files keeps the state before it beside it "
    "(.pulumi/stacks/PROJECT/STACK.json.bak), and S3 keeps it as an older version, if the bucket is versioned"
)


@dataclass(frozen=True)
class PulumiStack:
    """A stack by name, with what its commands need.

    Attributes:
        name: The stack's name.
        env: The environment of its commands; secrets travel here, never in arguments.
        config_file: Its configuration, beside a copy of Pulumi.yaml; None for `Pulumi.<name>.yaml` of the project.
        project: The folder with Pulumi.yaml.
    """

    name: str
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    config_file: Path | None = None
    project: Path = PROJECT

    def run(self, *words: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs `pulumi WORDS` on the stack, its output on the terminal unless captured.

        Raises:
            ToolError: There is no `pulumi`.
        """
        env = {key: value for key, value in self.env.items() if key not in _NOT_FOR_CHILDREN} | _CHILD_SETTINGS
        command, folder = ["pulumi", *words, "--stack", self.name], self.project
        if self.config_file is not None:
            if words[0] in {"stack", "cancel"}:
                # These take no --config-file: they look beside a Pulumi.yaml, and there is one beside it.
                folder = self.config_file.parent
            else:
                command += ["--config-file", str(self.config_file)]
        try:
            return subprocess.run(command, cwd=folder, env=env, capture_output=capture, text=True, check=False)
        except FileNotFoundError:
            raise ToolError("there is no `pulumi` on PATH; install the Pulumi CLI") from None

    def configure(self, path: str, value: str) -> None:
        """Sets one value of the stack's configuration; nothing secret, since it stands in an argument.

        Raises:
            ToolError: Pulumi refuses.
        """
        done = self.run("config", "set", "--path", path, value, capture=True)
        if done.returncode:
            raise ToolError(f"{path} cannot be set:\n{done.stderr.strip()}")

    def state(self) -> dict[str, Any]:
        """The state, as Pulumi exports it: secrets stay encrypted.

        Raises:
            ToolError: Pulumi refuses.
        """
        exported = self.run("stack", "export", capture=True)
        if exported.returncode:
            raise ToolError(f"the state of stack {self.name} cannot be read:\n{exported.stderr.strip()}{_WAY_OUT}")
        found: dict[str, Any] = json.loads(exported.stdout)
        return found

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Takes a state in place of the stack's own, as `state` gives it; pending operations go.

        Raises:
            ToolError: Pulumi refuses.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "state.json"
            write_private(file, json.dumps(state))
            taken = self.run("stack", "import", "--file", str(file), capture=True)
        if taken.returncode:
            raise ToolError(f"the state of stack {self.name} cannot be written:\n{taken.stderr.strip()}")

    def resources(self) -> list[dict[str, Any]]:
        """The resources that the state holds, as `state` gives them.

        Raises:
            ToolError: Pulumi refuses.
        """
        found: list[dict[str, Any]] = self.state()["deployment"].get("resources") or []
        return found

    def ensure(self, *, create: bool = False) -> None:
        """Selects the stack.

        Args:
            create: Make it if the backend has none of that name.

        Raises:
            ToolError: There is no such stack, or the backend refuses.
        """
        selected = self.run("stack", "select", *(["--create"] if create else []), capture=True)
        if selected.returncode:
            raise ToolError(f"the stack {self.name} cannot be selected:\n{selected.stderr.strip()}")
