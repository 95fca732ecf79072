"""Looks for drift: `make drift STACK=…`."""

import argparse
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import hvac
from rich.console import Console

from settings.model import Settings
from tools.drift.findings import UNFINISHED, Finding
from tools.drift.iam_side import iam_client, user_findings
from tools.drift.report import as_json, markdown, show
from tools.drift.state import State
from tools.drift.steps import changed_by_hand, not_applied
from tools.drift.vault_side import Reader, live_key, vault_findings
from tools.errors import ToolError
from tools.paths import PROJECT
from tools.pulumi_stack import PulumiStack

DRIFT = 2
"""The exit status that says so, as that of `terraform plan -detailed-exitcode`."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The options of the command."""
    command.add_argument("--json", action="store_true", help="JSON instead of a table")
    command.add_argument("--markdown", type=Path, help="the Markdown file (default: .review/drift-STACK.md)")


def find_drift(stack: PulumiStack, settings: Settings, vault: hvac.Client) -> list[Finding]:
    """Compares a stack's settings with its state, and its state with what Vault and AWS hold; changes nothing.

    Args:
        stack: The stack.
        settings: Its settings.
        vault: A client with the rights that `make pulumi-policy` prints.

    Returns:
        What differs; first what was changed by hand.

    Raises:
        ToolError: Something could not be compared.
    """
    state = _state(stack)
    return [*unseen(state, settings, vault), *changed_by_hand(stack), *not_applied(stack)]


def tell(stack: str, findings: Sequence[Finding], arguments: argparse.Namespace, console: Console) -> int:
    """Shows what was found, as the options say, and writes the Markdown file.

    Returns:
        The exit status: 0 for no drift, or `DRIFT`.
    """
    file = arguments.markdown or PROJECT / ".review" / f"drift-{stack}.md"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(markdown(stack, findings), encoding="utf-8")
    except OSError as error:
        raise ToolError(f"{file} cannot be written: {error.strerror}; name another with MARKDOWN=…") from None
    if arguments.json:
        console.file.write(as_json(stack, findings) + "\n")
    else:
        show(stack, findings, console)
    return DRIFT if findings else 0


def _state(stack: PulumiStack) -> State:
    exported = stack.run("stack", "export", capture=True)
    if exported.returncode:
        raise ToolError(f"the state of stack {stack.name} cannot be read:\n{exported.stderr.strip()}")
    return State.of(exported.stdout, stack.name)


def unseen(state: State, settings: Settings, vault: hvac.Client) -> Iterator[Finding]:
    """Compares what Pulumi's providers do not see.

    Raises:
        ToolError: Vault or AWS does not answer, or refuses.
    """
    reader = Reader(vault)
    reader.check()
    iam = iam_client(settings.region, state.engines)
    for what in state.unfinished:
        mend = "pulumi cancel --stack {stack}, pulumi refresh --stack {stack}, then make up STACK={stack}"
        yield Finding("update", "", "the state", "ended", f"interrupted while {what}", UNFINISHED, mend)
    yield from vault_findings(reader, state, settings.engines, settings.region)
    for engine in state.engines:
        declared = settings.engines.get(engine.name)
        longest = timedelta(seconds=declared.vault_user.maximum_key_age) if declared else timedelta.max
        yield from user_findings(iam, engine, live_key(reader, engine), longest)
