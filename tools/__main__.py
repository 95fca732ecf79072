"""The commands behind `make`: `python -m tools COMMAND --stack STACK`."""

import argparse
import contextlib
import io
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import hvac
import requests
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from documents.pulumi_policy import pulumi_policy
from documents.stack import read_stack
from settings.faults import FaultsError
from settings.load import read_config
from settings.place import LOCAL
from tools import audit as auditing
from tools import check, environments, new_env
from tools.audit_report import show as show_audit
from tools.code_spans import plain, printable
from tools.drift import command as drifting
from tools.errors import ToolError
from tools.killed_update import clear_up
from tools.leases import end_leases, live_leases
from tools.local_stack import LocalStack
from tools.opening import (
    config_of,
    enter,
    local_environment,
    open_stack,
    outputs_of,
    require_file,
    settings_of,
    vault_of,
)
from tools.paths import LOCAL_HOME, PROJECT
from tools.pulumi_stack import PulumiStack
from tools.recovery import Place, recover
from tools.review import command as reviewing
from tools.update import GUARDED, Recorded, Scope, update
from tools.update import destroy as destroy_stack
from tools.verify import Verifier, show


class _Parser(argparse.ArgumentParser):
    """Takes the words of a command; a wrong one ends it with 1, because 2 is what `drift` says of drift."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def main(words: Sequence[str]) -> int:
    """Runs one command; returns its exit status. Messages of errors go to standard error, without a traceback."""
    parser = _Parser(prog="python -m tools", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run in COMMANDS.items():
        command = commands.add_parser(name, help=(run.__doc__ or "").splitlines()[0])
        command.add_argument("--stack", default=LOCAL, help="the stack (default: local)")
        command.add_argument("--home", type=Path, default=LOCAL_HOME, help="the folder of the local stack")
        command.add_argument("--force", action="store_true", help="down: end also what Vault cannot revoke")
        command.add_argument("files", nargs="*", help="check: policy documents to check alone")
        if run is audit:
            auditing.add_arguments(command)
        if run is drift:
            drifting.add_arguments(command)
        if run is review:
            reviewing.add_arguments(command)
        if run is new_env.run:
            new_env.add_arguments(command)
        command.set_defaults(run=run)
    arguments = parser.parse_args(words)
    try:
        return int(arguments.run(arguments) or 0)
    except (ToolError, FaultsError) as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 1
    except (BotoCoreError, ClientError, hvac.exceptions.VaultError, requests.RequestException) as error:
        sys.stderr.write(f"{type(error).__name__}: {plain(str(error))}\n")
        return 1
    except BrokenPipeError:
        # Whoever read this has enough, as `head` has; what is left must not fail at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'the system'}: {error.strerror or error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run the same command again to go on\n")
        return 130


def up(arguments: argparse.Namespace) -> int:
    """Brings the stack to what its settings say, and proves it."""
    stack = _open(arguments, start=True)
    vault, recorded = _select_and_recover(stack)
    config = config_of(stack)
    _warn_of_leases(vault, config, recorded)
    return update(stack, GUARDED, _confirm(arguments, "update"), Scope.of(recorded, config)) or verify(arguments)


def preview(arguments: argparse.Namespace) -> int:
    """Shows what `up` would change, and changes nothing."""
    stack = _open(arguments, start=True)
    enter(stack)
    vault = vault_of(stack)
    stack.ensure(create=arguments.stack == LOCAL)
    _warn_of_leases(vault, config_of(stack), stack.resources())
    return stack.run("preview", "--diff", *GUARDED).returncode


def down(arguments: argparse.Namespace) -> int:
    """Revokes the leases of a stack, destroys it, and stops the local servers."""
    local = LocalStack(arguments.home)
    if arguments.stack != LOCAL:
        return destroy(arguments)
    if not local.servers:
        _say("nothing runs for the local stack")
        return 0
    if local.running:
        try:
            destroy(arguments)
        except ToolError as error:
            if not arguments.force:
                raise
            # All that the stack made is in the servers' memory.
            _say(f"without destroying the stack, since {error}")
    local.stop()
    _say("stopped the local servers")
    return 0


def destroy(arguments: argparse.Namespace) -> int:
    """Revokes the leases of a stack and destroys it."""
    stack = _open(arguments, start=False)
    if config_of(stack).get("vault-aws:protect") is True:
        raise ToolError(
            f"the stack {stack.name} is protected, and nothing was destroyed; to destroy it, set vault-aws:protect to "
            f"false, run `make up STACK={stack.name}` and then `make down STACK={stack.name}`"
        )
    vault, recorded = _select_and_recover(stack)
    outputs = outputs_of(recorded)
    environment = str(config_of(stack).get("vault-aws:environment") or stack.name)
    paths = {name: role["read"] for name, role in outputs.get("roles", {}).items()}
    mounts = set(outputs.get("mounts", {}).values())
    end_leases(vault, paths, mounts=mounts, environment=environment, force=arguments.force, say=_say)
    if destroy_stack(stack, _confirm(arguments, "destroy"), recorded):
        raise ToolError("the stack was not destroyed; mend what is said above and run `make down` again")
    return 0


def rotate(arguments: argparse.Namespace) -> int:
    """Replaces the keys that Vault holds: by a new generation, or by Vault itself where it rotates."""
    stack = _open(arguments, start=False)
    settings = settings_of(stack)
    vault, _ = _select_and_recover(stack)
    by_stack = [name for name, engine in settings.engines.items() if engine.rotation == "stack"]
    for name in by_stack:
        place = f"vault-aws:engines.{name}.vaultUser"
        generation = settings.engines[name].vault_user.key_generation + 1
        stack.configure(f"{place}.keyGeneration", str(generation))
        stack.configure(f"{place}.keyMade", f"{datetime.now(UTC):%Y-%m-%d}")
        _say(f"engine {name}: key generation {generation}")
    for name in set(settings.engines) - set(by_stack):
        try:
            vault.adapter.post(f"/v1/{settings.mount_path(name)}/config/rotate-root")
        except hvac.exceptions.VaultError as error:
            raise ToolError(f"engine {name}: Vault did not rotate its key: {' '.join(str(error).split())}") from None
        _say(f"engine {name}: Vault has rotated its key")
    return up(arguments) if by_stack else 0


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
    for name, value in local_environment(LocalStack(arguments.home)).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """Reads a credential of every role, tries it, and ends its lease."""
    stack = _open(arguments, start=False)
    enter(stack)
    roles = outputs_of(stack.resources()).get("roles", {})
    settings = settings_of(stack)
    if set(roles) != set(settings.roles):
        raise ToolError(f"the stack {stack.name} is not what its settings say; run `make up STACK={stack.name}` first")
    verifier = Verifier(settings, {name: role["read"] for name, role in roles.items()}, vault_of(stack))
    return 0 if show(verifier.verify_all(), _console()) else 1


def audit(arguments: argparse.Namespace) -> int:
    """Says who had a credential: of a role, a lease, an access key or an AWS user."""
    stack = _open(arguments, start=False)
    enter(stack)
    settings = settings_of(stack)
    device, log = auditing.device_and_log(settings, arguments.home, arguments.file, arguments.device)
    auditor = auditing.Auditor(settings, log, device, vault_of(stack), arguments.last)
    kind, value = next((kind, value) for kind in auditing.QUESTIONS if (value := getattr(arguments, kind)))
    answers = auditor.ask(kind, value)
    return 0 if show_audit(answers, auditor, _console(), as_json=arguments.json) else 1


def drift(arguments: argparse.Namespace) -> int:
    """Says what differs between a stack and what is there, and changes neither; exits with 2 if anything does."""
    # What the toolchain says is no part of the JSON.
    with contextlib.redirect_stdout(sys.stderr):
        stack = _open(arguments, start=False)
    enter(stack)
    findings = drifting.find_drift(stack, settings_of(stack), vault_of(stack))
    return drifting.tell(stack.name, findings, arguments, _console())


def review(arguments: argparse.Namespace) -> int:
    """Says what a change does to who has which access, from the files of two commits alone."""
    return reviewing.run(arguments, _console())


def print_pulumi_policy(arguments: argparse.Namespace) -> int:
    """Prints the Vault policy that a token needs to run the stack."""
    require_file(arguments.stack)
    settings = read_stack(read_config(PROJECT / f"Pulumi.{arguments.stack}.yaml"), arguments.stack).settings
    sys.stdout.write(f"{pulumi_policy(settings)}\n")
    return 0


def _open(arguments: argparse.Namespace, *, start: bool) -> PulumiStack:
    return open_stack(arguments.stack, arguments.home, start=start, say=_say)


def _select_and_recover(stack: PulumiStack) -> tuple[hvac.Client, Recorded]:
    """Selects a stack that is to be changed, once what a killed update left of it is mended.

    Returns:
        Its Vault, and the resources that its state holds.
    """
    enter(stack)
    vault = vault_of(stack)
    killed = clear_up(stack, _say)
    stack.ensure(create=stack.name == LOCAL)
    return vault, recover(stack, lambda: Place.of(stack.name, config_of(stack), vault), _say, killed=killed)


def _warn_of_leases(vault: hvac.Client, config: Mapping[str, Any], recorded: Recorded) -> None:
    """Says of roles that the settings do not name any more which leases of theirs live on."""
    declared = config.get("vault-aws:roles") or {}
    going = {name: role["read"] for name, role in outputs_of(recorded).get("roles", {}).items() if name not in declared}
    if going:
        try:
            living = live_leases(vault, going)
        except ToolError as error:
            # A preview's token may see no leases, and what is shown is worth more than this.
            _say(f"warning: {', '.join(going)} would go, and whether leases live on is not known: {error}")
            return
        for role in living:
            _say(
                f"warning: role {role.role} goes, and {len(role.ids)} of its leases live on until they expire; "
                f"to end them now: vault lease revoke -prefix {going[role.role]}"
            )


def _confirm(arguments: argparse.Namespace, what: str) -> Callable[[], bool] | None:
    """Asks whoever sits at a terminal. The local stack needs no word; a run by nobody has been reviewed before."""
    if arguments.stack == LOCAL:
        return None

    def ask() -> bool:
        if sys.stdin.isatty():
            return input(f"{what} the stack {arguments.stack}? (yes/no) ").strip().lower() in {"y", "yes"}
        if what == "update":
            return True
        raise ToolError(
            f"nothing was destroyed: the stack {arguments.stack} goes only by somebody's word; run this at a "
            f"terminal, or `pulumi destroy --yes --stack {arguments.stack}`"
        )

    return ask


def _console() -> Console:
    # In a log there is no terminal to measure, and rich would fold the table to 80 columns.
    return Console() if sys.stdout.isatty() else Console(width=160)


def _say(line: str) -> None:
    sys.stdout.write(f"{printable(line)}\n")
    sys.stdout.flush()


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": up,
    "preview": preview,
    "down": down,
    "destroy": destroy,
    "rotate": rotate,
    "status": status,
    "env": env,
    "verify": verify,
    "audit": audit,
    "drift": drift,
    "review": review,
    "check": check.run,
    "new-env": new_env.run,
    "environments": environments.run,
    "pulumi-policy": print_pulumi_policy,
}

if __name__ == "__main__":
    # A log may take no more than ASCII; a fault must reach it all the same.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))
