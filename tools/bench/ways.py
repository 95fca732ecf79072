"""The ways to make the same roles: this stack, Terraform, and the article's, one process of the CLI a write.

Each has a mount of its own, so that they stand side by side on one Vault.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from tools.bench.declared import Declared, Written, write_settings, written
from tools.errors import ToolError
from tools.go_tools import Tool, provide
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack
from tools.scratch import Scratch
from tools.toolchain import SOURCES
from tools.update import GUARDED, Scope, destroy, repeatable, update

Action = Callable[[], None]

PROVIDER: Final = Tool(
    name="terraform-provider-vault",
    version="5.9.0",
    instead="nothing else: the comparison is of one build",
    module=SOURCES / "provider-vault",
    binaries=(("terraform-provider-vault", "github.com/hashicorp/terraform-provider-vault"),),
)
"""Terraform's provider from the module that Pulumi's plugin is built from."""

UNGUARDED: Final = "preview without the policy pack"
"""A step of this stack alone, which says what the pack takes."""

_LAST_WORDS = 15
_ERROR = re.compile(r"error:|\[mandatory\]", re.IGNORECASE)


class Way(Protocol):
    """One way to make roles; its steps are run in their order, and the last leaves nothing."""

    @property
    def mount(self) -> str:
        """The path of its mount."""

    def steps(self, count: int) -> Mapping[str, Action]:
        """Declares so many roles; gives what is then timed, by name. A step that fails raises ToolError."""


@dataclass(frozen=True)
class LoggedStack(PulumiStack):
    """A stack whose commands print into a file.

    Attributes:
        log: The file; lines are added to it.
    """

    log: Path = Path(os.devnull)

    def run(self, *words: str, capture: bool = False) -> subprocess.CompletedProcess[str]:  # noqa: ARG002 - all is captured
        """Runs `pulumi WORDS` on the stack, as `PulumiStack.run` does."""
        done = super().run(*words, capture=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ pulumi {words[0]}\n{done.stdout}{done.stderr}")
        return done


def logged(stack: PulumiStack, log: Path) -> LoggedStack:
    """The same stack, printing into a file."""
    return LoggedStack(stack.name, stack.env, stack.config_file, stack.project, log=log)


def succeed(stack: LoggedStack, what: str, status: int) -> None:
    """Raises ToolError, with the last lines of the stack's log, unless the status is 0."""
    if status:
        raise ToolError(f"{what} of the stack {stack.name} ended with {status}:\n{last_words(stack.log.read_text())}")


def bring_up(stack: LoggedStack, roles: int) -> None:
    """What `make up` does of Pulumi with a local stack that declares so many roles."""
    scope = Scope(len(repeatable(stack.resources())), roles)
    succeed(stack, "update", update(stack, GUARDED, None, scope))


def take_down(stack: LoggedStack) -> None:
    """What `make down` does of Pulumi with a local stack."""
    succeed(stack, "destroy", destroy(stack, None, stack.resources()))


def last_words(text: str) -> str:
    """What an output says of errors, and its last lines."""
    lines = text.strip().splitlines()
    told = [line for line in lines[:-_LAST_WORDS] if _ERROR.search(line)]
    return "\n".join(told[-_LAST_WORDS:] + lines[-_LAST_WORDS:])


def run(command: Sequence[str], *, folder: Path, env: Mapping[str, str], given: str | None = None) -> str:
    """Runs a command, its standard input `given`; returns what it printed.

    Raises:
        ToolError: It failed; the message has its last words.
    """
    done = subprocess.run(
        command, cwd=folder, env=dict(env), capture_output=True, text=True, check=False, input=given or ""
    )
    if done.returncode:
        words = last_words(done.stdout + done.stderr)
        raise ToolError(f"{Path(command[0]).name} {' '.join(command[1:3])} ended with {done.returncode}:\n{words}")
    return done.stdout


@dataclass(frozen=True)
class StackWay:
    """This stack by what `make up`, `make preview` and `make down` do.

    Attributes:
        scratch: The copy of the project, with `tools` and `policy_pack`.
        config: Pulumi.local.yaml's configuration with the addresses of the servers.
        log: What Pulumi prints.
        verified_up_to: Up to how many roles the whole of `make up`, with the proof of every role, is run as well.
    """

    scratch: Scratch
    config: Mapping[str, Any]
    log: Path
    verified_up_to: int
    mount: str = "bench-stack"

    def steps(self, count: int) -> Mapping[str, Action]:
        """See `Way`."""
        stack = logged(self.scratch.stack, self.log)
        write_settings(stack, self.config, Declared([self.mount], count))
        up = partial(bring_up, stack, count)
        steps: dict[str, Action] = {
            "create": up,
            "preview": lambda: succeed(stack, "preview", stack.run("preview", "--diff", *GUARDED).returncode),
            UNGUARDED: lambda: succeed(stack, "preview", stack.run("preview", "--diff").returncode),
            "up": up,
        }
        if count <= self.verified_up_to:
            steps["verified up"] = self._make_up
        return steps | {"destroy": partial(take_down, stack)}

    def _make_up(self) -> None:
        # The copy's own `tools`, so that they read its settings and documents.
        command = [sys.executable, "-m", "tools", "up", "--home", str(self.scratch.local.home)]
        run(command, folder=self.scratch.stack.project, env=os.environ)


@dataclass(frozen=True)
class TerraformWay:
    """Terraform or OpenTofu with the same build of the provider, each step as its user types it.

    Attributes:
        binary: `terraform` or `tofu`.
        folder: A new folder, for its configuration and state.
        scratch: Where the policy documents and the servers are.
        config: As for `StackWay`.
    """

    binary: Path
    folder: Path
    scratch: Scratch
    config: Mapping[str, Any]
    mount: str = "bench-terraform"

    def steps(self, count: int) -> Mapping[str, Action]:
        """See `Way`."""
        given = _written(self.mount, count, self.config, self.scratch)
        self.folder.mkdir(exist_ok=True)
        shutil.copy(Path(__file__).parent / "terraform" / "main.tf", self.folder)
        content = {"roles": given.roles, "policies": given.policies}
        (self.folder / "written.json").write_text(json.dumps(content))
        env = self._environment()

        def terraform(*words: str) -> Action:
            def act() -> None:
                run([str(self.binary), *words, "-input=false", "-no-color"], folder=self.folder, env=env)

            return act

        return {
            "create": terraform("apply", "-auto-approve"),
            "preview": terraform("plan"),
            "up": terraform("apply", "-auto-approve"),
            "destroy": terraform("destroy", "-auto-approve"),
        }

    def _environment(self) -> dict[str, str]:
        provider = provide([PROVIDER], environ=os.environ, say=print)[PROVIDER]
        settings = self.folder / "cli.tfrc"
        overrides = f'dev_overrides {{ "hashicorp/vault" = {json.dumps(str(provider))} }}'
        settings.write_text(f"provider_installation {{\n  {overrides}\n  direct {{}}\n}}\n")
        env = self.scratch.stack.env
        [endpoints] = self.config["aws:endpoints"]
        return {
            **env,
            "TF_CLI_CONFIG_FILE": str(settings),
            "CHECKPOINT_DISABLE": "1",
            "TF_VAR_mount": self.mount,
            "TF_VAR_endpoint": endpoints["iam"],
            "TF_VAR_access_key": env["AWS_ACCESS_KEY_ID"],
            "TF_VAR_secret_key": env["AWS_SECRET_ACCESS_KEY"],
        }


@dataclass(frozen=True)
class ArticleWay:
    """A script of `vault write`: one process of the CLI a write. It has no preview and removes what it is told to.

    Attributes:
        binary: `vault` or `bao`.
        scratch: As for `TerraformWay`.
        config: As for `StackWay`.
    """

    binary: Path
    scratch: Scratch
    config: Mapping[str, Any]
    mount: str = "bench-article"

    def steps(self, count: int) -> Mapping[str, Action]:
        """See `Way`."""
        given = _written(self.mount, count, self.config, self.scratch)
        return {"create": lambda: self._create(given), "destroy": lambda: self._destroy(given)}

    def _create(self, given: Written) -> None:
        env = self.scratch.stack.env
        [endpoints] = self.config["aws:endpoints"]
        root = {"iam_endpoint": endpoints["iam"], "sts_endpoint": endpoints["sts"], "region": "us-west-2"}
        root |= {"access_key": env["AWS_ACCESS_KEY_ID"], "secret_key": env["AWS_SECRET_ACCESS_KEY"]}
        self._cli("secrets", "enable", f"-path={self.mount}", "aws")
        # Standard input, since arguments are seen by everybody on the machine.
        self._cli("write", f"{self.mount}/config/root", "-", given=json.dumps(root))
        self._cli("write", f"{self.mount}/config/lease", "lease=1h", "lease_max=4h")
        for name, policy in given.policies.items():
            self._cli("policy", "write", name, "-", given=policy)
        for name, role in given.roles.items():
            self._cli("write", f"{self.mount}/roles/{name}", "-", given=json.dumps(role))

    def _destroy(self, given: Written) -> None:
        for name in given.roles:
            self._cli("delete", f"{self.mount}/roles/{name}")
        for name in given.policies:
            self._cli("policy", "delete", name)
        self._cli("secrets", "disable", self.mount)

    def _cli(self, *words: str, given: str | None = None) -> None:
        run([str(self.binary), *words], folder=PROJECT, env=self.scratch.stack.env, given=given)


def find_terraform() -> Path | None:
    """Terraform, or else OpenTofu, of PATH."""
    found = shutil.which("terraform") or shutil.which("tofu")
    return Path(found) if found else None


def find_cli() -> Path:
    """The CLI of Vault, or of OpenBao, which `make` installs."""
    return Path(shutil.which("vault") or Path(sys.executable).parent / "bao")


def _written(mount: str, count: int, config: Mapping[str, Any], scratch: Scratch) -> Written:
    declared = Declared([mount], count)
    for name, document in declared.documents.items():
        (scratch.stack.project / "policies" / f"{name}.json").write_text(json.dumps(document))
    return written(declared, config, scratch.stack.project)
