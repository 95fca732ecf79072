"""One Pulumi stack and how to run the CLI on it."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from tools.errors import ToolError
from tools.paths import PROJECT
from tools.private_files import write_private

_CHILD_SETTINGS = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
_SPEED = {
    # The engine asks the provider about several resources at once, not about one after the other.
    "PULUMI_PARALLEL_DIFF": "true",
    # Pulumi and its plugins are written in Go: their collector runs a quarter as often, for some more memory.
    "GOGC": "400",
}
"""What makes a large stack quicker, unless the environment says otherwise; docs/performance.md has what of it."""
# Without compiled modules each run would compile the providers' SDKs again, which takes seconds.
_NOT_FOR_CHILDREN = ("PYTHONDONTWRITEBYTECODE",)
_PATIENCE = 30.0
_LAST_WORDS = 10
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
        deadline: The seconds after which a command is told to end.
    """

    name: str
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    config_file: Path | None = None
    project: Path = PROJECT
    deadline: float = 3600.0

    def given(self, variable: str) -> Self:
        """The same stack, whose commands find a variable of the environment set to `true`."""
        return replace(self, env={**self.env, variable: "true"})

    @property
    def command_env(self) -> dict[str, str]:
        """The environment of Pulumi's processes."""
        env = {key: value for key, value in self.env.items() if key not in _NOT_FOR_CHILDREN}
        return _SPEED | env | _CHILD_SETTINGS

    def run(self, *words: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs `pulumi WORDS` on the stack, its output on the terminal unless captured.

        Raises:
            ToolError: There is no `pulumi`, or it did not end before the deadline.
            KeyboardInterrupt: Ctrl-C, once Pulumi, which the terminal told as well, has ended what it was doing.
        """
        command, folder = ["pulumi", *words, "--stack", self.name], self.project
        if self.config_file is not None:
            if words[0] in {"stack", "cancel"}:
                # These take no --config-file: they look beside a Pulumi.yaml, and there is one beside it.
                folder = self.config_file.parent
            else:
                command += ["--config-file", str(self.config_file)]
        pipe = subprocess.PIPE if capture else None
        try:
            process = subprocess.Popen(command, cwd=folder, env=self.command_env, stdout=pipe, stderr=pipe, text=True)
        except FileNotFoundError:
            raise ToolError("there is no `pulumi` on PATH; install the Pulumi CLI") from None
        with process:
            try:
                output, errors = process.communicate(timeout=self.deadline)
            except subprocess.TimeoutExpired:
                said = self._stop(process)
                raise ToolError(
                    f"`pulumi {words[0]}` of the stack {self.name} did not end within {self.deadline:.0f} s and was "
                    "stopped; what it still waited for stands last in what it printed; see that Vault and AWS answer, "
                    f"and run the same command again{said}"
                ) from None
            except KeyboardInterrupt:
                process.wait()
                raise
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    @staticmethod
    def _stop(process: subprocess.Popen[str]) -> str:
        """Has Pulumi cancel what it does, and ends it where it does not; gives the last lines that were captured."""
        process.send_signal(signal.SIGINT)
        try:
            output, errors = process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
        lines = f"{output or ''}{errors or ''}".strip().splitlines()[-_LAST_WORDS:]
        return "".join(f"\n  {line}" for line in lines)

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
