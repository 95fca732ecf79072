"""Makes the file of another environment: `make new-env NAME=qa ACCOUNT=… REGION=… VAULT=https://…`."""

import argparse
import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import yaml

from documents.stack import read_stack
from settings.shared import with_shared
from tools.errors import ToolError
from tools.paths import PROJECT

SHARED_FILE = "shared-settings.yaml"
"""What the environments of this project share."""

_FORMS = {
    "name": (r"[a-z][a-z0-9-]{0,30}", "1 to 31 lower-case letters, digits and hyphens that begin with a letter"),
    "account": ("[0-9]{12}", "the 12 digits of an AWS account"),
    "region": (r"[a-z]{2,4}(-[a-z]+)+-\d", "a region's name as AWS writes it, such as us-west-2"),
    "vault": (r"https://[\w.-]+(:\d{1,5})?", "an https address such as https://vault.example.com:8200, and no path"),
}
_FILE = """\
# yaml-language-server: $schema=settings/stack.schema.json
config:
  aws:region: {region}
  aws:allowedAccountIds: ["{account}"]
  vault:address: {vault}
{shared}  vault-aws:protect: true
  vault-aws:engines:
    aws: {{vaultUser: {{keyMade: "{today}"}}}}
"""
_NEXT = """\
{file} is made and checked. Next:
  1. {pin}
  2. log in to your backend, and: pulumi stack init {name} --secrets-provider 'awskms://…' (docs/environments.md)
  3. put into {file} what differs here from the other environments; make check
  4. make environments, which compares them in README.md
  5. make preview STACK={name}, then make up STACK={name}
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The options of the command."""
    for word, (_, wanted) in _FORMS.items():
        command.add_argument(f"--{word}", default="", help=wanted)


def run(arguments: argparse.Namespace, say: Callable[[str], None] = print) -> int:
    """Makes the file of another environment, and says what to do next."""
    values = {word: str(getattr(arguments, word)) for word in _FORMS}
    path = make(values, PROJECT, datetime.now(UTC).date())
    # read again, as everything else will read it
    settings = read_stack(with_shared(_config(path.read_text()), values["name"], path.name), values["name"]).settings
    pin = settings.vault.cluster_name or settings.vault.cluster_id
    say(
        _NEXT.format(
            file=path.name,
            name=values["name"],
            pin=f"see that `vault status` there says {pin!r}, or set vault-aws:vault in {path.name} to what it says"
            if pin
            else f"set vault-aws:vault in {path.name} to the cluster that `vault status` names there",
        ).rstrip()
    )
    return 0


def make(values: Mapping[str, str], folder: Path, today: date) -> Path:
    """Writes the file of an environment, whole or not at all; it never replaces one.

    Args:
        values: `name`, `account`, `region` and `vault`.
        folder: The project, where the shared file is, if there is one.
        today: The day that counts as that of the key of Vault's user.

    Returns:
        The file.

    Raises:
        ToolError: A value is missing or malformed, or there is such a file already.
        FaultsError: The stack would have faults, such as those of the shared file.
    """
    wrong = [
        f"{word.upper()}={values[word]}: write {wanted}"
        if values[word]
        else f"{word.upper()} is missing: write {wanted}"
        for word, (form, wanted) in _FORMS.items()
        if not re.fullmatch(form, values[word], re.ASCII)
    ]
    if wrong:
        raise ToolError("nothing was made\n" + "\n".join(wrong))
    name = values["name"]
    path = folder / f"Pulumi.{name}.yaml"
    if path.exists():
        raise ToolError(f"there is a {path.name} already; choose another NAME, or edit that file")
    shared = f"  vault-aws:shared: {SHARED_FILE}\n" if (folder / SHARED_FILE).exists() else ""
    text = _FILE.format(**values, shared=shared, today=today)
    read_stack(with_shared(_config(text), name, path.name, folder), name, today=today)
    _write_new(path, text)
    return path


def _config(text: str) -> dict[str, object]:
    config: dict[str, object] = yaml.safe_load(text)["config"]
    return config


def _write_new(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        # A link is made at once, and never over a file that somebody else has made meanwhile.
        os.link(fresh, path)
    except FileExistsError:
        raise ToolError(f"there is a {path.name} already; choose another NAME, or edit that file") from None
    except OSError as error:
        raise ToolError(f"{path.name} cannot be written: {error.strerror}") from None
    finally:
        fresh.unlink(missing_ok=True)
