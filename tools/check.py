"""Checks every stack's settings and documents, or given documents, without a server or a credential."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from documents.policy import check_policy
from documents.stack import POLICY_FOLDER, read_stack
from settings.faults import Fault, FaultsError
from settings.files import stack_of
from settings.load import read_config
from tools.paths import PROJECT


def run(arguments: argparse.Namespace) -> int:
    """Checks settings and policies; with files, those policy documents alone."""
    if arguments.files:
        faults = [fault for name in arguments.files for fault in check_policy(Path(name), name)]
        checked = _counted(len(arguments.files), "document")
    else:
        stacks = sorted(PROJECT.glob("Pulumi.*.yaml"))
        faults = list(stack_faults(stacks))
        documents = len(list(POLICY_FOLDER.glob("*.json")))
        checked = f"{_counted(len(stacks), 'stack')} and {_counted(documents, 'document')}"
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    if not faults:
        sys.stdout.write(f"{checked}: no fault\n")
    return 1 if faults else 0


def stack_faults(stacks: Iterable[Path]) -> Iterable[Fault]:
    """Yields the faults of stack files, of what they name, and of documents that no role names."""
    named = set()
    for path in stacks:
        try:
            read = read_stack(read_config(path), stack_of(path))
        except FaultsError as error:
            yield from error.faults
        else:
            named |= {document.path for document in read.policies.values()}
            for warning in read.warnings:
                sys.stdout.write(f"{path.name}: warning: {warning}\n")
    for path in sorted(POLICY_FOLDER.glob("*.json")):
        if (shown := f"{POLICY_FOLDER.name}/{path.name}") not in named:
            yield from check_policy(path, shown)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
