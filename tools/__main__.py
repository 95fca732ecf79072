"""The commands behind `make`: `python -m tools COMMAND --stack STACK`."""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import hvac
from rich.console import Console

from documents.stack import read_stack
from settings.faults import FaultsError
from settings.load import read_config
from tools import check, toolchain
from tools.errors import ToolError
from tools.local_stack import LocalStack
from tools.paths import LOCAL_HOME, PROJECT
from tools.pulumi_stack import PulumiStack
from tools.vault_server import find_vault
from tools.verify import Verifier, show

LOCAL = "local"


def main(words: Sequence[str]) -> int:
    """Runs one command; returns its exit status. Messages of errors go to standard error, without a traceback."""
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run in COMMANDS.items():
        command = commands.add_parser(name, help=(run.__doc__ or "").splitlines()[0])
        command.add_argument("--stack", default=LOCAL, help="the stack (default: local)")
        command.add_argument("--home", type=Path, default=LOCAL_HOME, help="the folder of the local stack")
        command.add_argument("files", nargs="*", help="check: policy documents to check alone")
        command.set_defaults(run=run)
    arguments = parser.parse_args(words)
    try:
        return int(arguments.run(arguments) or 0)
    except (ToolError, toolchain.ToolchainError, FaultsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run the same command again to go on\n")
        return 130


def up(arguments: argparse.Namespace) -> int:
    """Brings the stack to what its settings say, and proves it."""
    stack = _open(arguments, start=True)
    stack.ensure(create=arguments.stack == LOCAL)
    confirmed = ["--yes"] if arguments.stack == LOCAL or not sys.stdin.isatty() else []
    return stack.run("up", *confirmed).returncode or verify(arguments)


def preview(arguments: argparse.Namespace) -> int:
    """Shows what `up` would change, and changes nothing."""
    stack = _open(arguments, start=True)
    stack.ensure(create=arguments.stack == LOCAL)
    return stack.run("preview", "--diff").returncode


def down(arguments: argparse.Namespace) -> int:
    """Destroys the stack, and stops the local servers."""
    local = LocalStack(arguments.home)
    if arguments.stack != LOCAL:
        return _open(arguments, start=False).run("destroy").returncode
    if not local.servers:
        _say("nothing runs for the local stack")
        return 0
    if local.running:
        stack = _open(arguments, start=False)
        stack.ensure(create=True)
        status = stack.run("destroy", "--yes", "--skip-preview").returncode
        if status:
            raise ToolError("the stack was not destroyed, so its servers still run; mend it and run `make down` again")
    local.stop()
    _say("stopped the local servers")
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Says what runs where; exits with 1 unless all of it does."""
    local = LocalStack(arguments.home)
    for server in local.servers:
        _say(f"{server.name:6} {server.url}  process {server.pid}  {'runs' if server.alive else 'does not run'}")
    if not local.servers:
        _say("nothing runs for the local stack; `make up` starts it")
    return 0 if local.running else 1


def env(arguments: argparse.Namespace) -> int:
    """Prints the environment of the local stack for `eval`."""
    for name, value in _local_environment(LocalStack(arguments.home)).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """Reads a credential of every role, tries it, and ends its lease."""
    stack = _open(arguments, start=False)
    os.environ.update(stack.env)
    outputs = stack.run("stack", "output", "--json", capture=True)
    if outputs.returncode:
        raise ToolError(f"the outputs of stack {stack.name} cannot be read:\n{outputs.stderr.strip()}")
    roles = json.loads(outputs.stdout).get("roles", {})
    config = read_config(stack.config_file or PROJECT / f"Pulumi.{stack.name}.yaml")
    settings = read_stack(config, stack.name).settings
    if set(roles) != set(settings.roles):
        raise ToolError(f"the stack {stack.name} is not what its settings say; run `make up STACK={stack.name}` first")
    vault = hvac.Client(url=os.environ.get("VAULT_ADDR") or config.get("vault:address"))
    verifier = Verifier(settings, {name: role["read"] for name, role in roles.items()}, vault)
    return 0 if show([verifier.verify(name) for name in settings.roles], _console()) else 1


def _open(arguments: argparse.Namespace, *, start: bool) -> PulumiStack:
    """The stack with its environment; the local one with its servers."""
    if arguments.stack != LOCAL:
        found = toolchain.find(need_engine=False, say=_say)
        return PulumiStack(arguments.stack, found.env(os.environ))
    vault = find_vault(os.environ)
    found = toolchain.find(need_engine=vault is None, say=_say)
    local = LocalStack(arguments.home)
    if start:
        local.start(vault=vault, engine_plugin=found.engine_plugin, say=_say)
    env = found.env(os.environ) | _local_environment(local)
    return PulumiStack(LOCAL, env, local.config_file)


def _local_environment(local: LocalStack) -> dict[str, str]:
    if not local.running:
        raise ToolError("the local servers do not run; `make up` starts them")
    return local.environment()


def _console() -> Console:
    # In a log there is no terminal to measure, and rich would fold the table to 80 columns.
    return Console() if sys.stdout.isatty() else Console(width=160)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": up,
    "preview": preview,
    "down": down,
    "status": status,
    "env": env,
    "verify": verify,
    "check": check.run,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
