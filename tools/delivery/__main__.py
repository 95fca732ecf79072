"""The steps of a pipeline that are not `make`'s: `python -m tools.delivery COMMAND`."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from settings.faults import FaultsError
from settings.load import read_config
from tools.code_spans import printable
from tools.delivery.login import hand_on, log_in, log_out
from tools.delivery.preview import preview
from tools.delivery.report import GitHub
from tools.delivery.stacks import changed_stacks
from tools.errors import ToolError
from tools.paths import PROJECT


def main(words: Sequence[str]) -> int:
    """Runs one command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.delivery", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    touched = commands.add_parser("changed-stacks", help="print the stacks that a change touches, as JSON")
    touched.add_argument("--base", default="origin/main", help="the commit to compare with (default: origin/main)")
    touched.set_defaults(run=_changed_stacks)
    login = commands.add_parser("log-in", help="log the job in to a stack's Vault")
    login.add_argument("--stack", required=True)
    login.add_argument("--role", required=True, help="the role of Vault's JWT method")
    login.add_argument("--path", default="delivery", help="where that method is mounted (default: delivery)")
    login.set_defaults(run=_log_in)
    logout = commands.add_parser("log-out", help="give the job's token back to a stack's Vault")
    logout.add_argument("--stack", required=True)
    logout.set_defaults(run=_log_out)
    region = commands.add_parser("region", help="print a stack's region")
    region.add_argument("--stack", required=True)
    region.set_defaults(run=_region)
    shown = commands.add_parser("preview", help="preview a stack, and write what Pulumi shows as Markdown")
    shown.add_argument("--stack", required=True)
    shown.add_argument("--markdown", type=Path, required=True)
    shown.set_defaults(run=_preview)
    comment = commands.add_parser("comment", help="write a comment on a pull request, over the one of before")
    comment.add_argument("--pull-request", type=int, required=True)
    comment.add_argument("--key", required=True, help="which comment, such as the stack's name")
    comment.add_argument("files", nargs="+", type=Path, help="Markdown files, one after the other")
    comment.set_defaults(run=_comment)
    issue = commands.add_parser("issue", help="keep an issue up to date; without a file, close it")
    issue.add_argument("--key", required=True)
    issue.add_argument("--title", required=True)
    issue.add_argument("files", nargs="*", type=Path)
    issue.set_defaults(run=_issue)
    arguments = parser.parse_args(words)
    try:
        return int(arguments.run(arguments) or 0)
    except (ToolError, FaultsError) as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 1


def _changed_stacks(arguments: argparse.Namespace) -> None:
    sys.stdout.write(f"{json.dumps(changed_stacks(arguments.base))}\n")


def _log_in(arguments: argparse.Namespace) -> None:
    token = log_in(arguments.stack, arguments.role, arguments.path, os.environ)
    sys.stdout.write(f"{hand_on(token, os.environ)}\n")


def _log_out(arguments: argparse.Namespace) -> None:
    sys.stdout.write(f"{log_out(arguments.stack, os.environ)}\n")


def _region(arguments: argparse.Namespace) -> None:
    name = f"Pulumi.{arguments.stack}.yaml"
    region = read_config(PROJECT / name).get("aws:region")
    if not region:
        raise ToolError(f"{name}: aws:region: is missing; name the stack's region")
    sys.stdout.write(f"{region}\n")


def _preview(arguments: argparse.Namespace) -> int:
    return preview(arguments.stack, arguments.markdown)


def _comment(arguments: argparse.Namespace) -> None:
    GitHub(os.environ).comment(arguments.pull_request, arguments.key, _joined(arguments.files))


def _issue(arguments: argparse.Namespace) -> None:
    GitHub(os.environ).issue(arguments.key, arguments.title, _joined(arguments.files) if arguments.files else None)


def _joined(files: Sequence[Path]) -> str:
    try:
        return "\n\n".join(file.read_text(encoding="utf-8") for file in files)
    except OSError as error:
        raise ToolError(f"{error.filename} cannot be read: {error.strerror}") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
