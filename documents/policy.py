"""Policy documents of roles: read, checked in every way, and written for an account."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

from documents.actions import action_faults
from documents.canonical import canonical
from documents.grammar import grammar_faults
from documents.limits import INLINE_POLICY_LIMIT, SizeLimit, size_fault
from documents.placeholders import fill, placeholder_faults
from documents.source import read_object
from documents.wording import Finding, shown
from settings.faults import Fault, FaultsError

SAMPLE_VALUES: Mapping[str, str] = {
    "account": "123456789012",
    "partition": "aws-us-gov",
    "region": "ap-southeast-2",
    "environment": "production",
}
"""What placeholders are filled with where only the size counts: the longest that is usual."""

_LONGEST_NAME = 512
"""Characters. A path beyond it is none that a person typed."""


@dataclass(frozen=True)
class PolicyDocument:
    """A policy document without faults.

    Attributes:
        path: The file, as a person would type its path.
        content: What it holds, with its placeholders.
    """

    path: str
    content: Mapping[str, Any]

    def render(self, values: Mapping[str, str]) -> str:
        """Writes the document for an account: placeholders filled, in canonical form.

        Args:
            values: `account`, `partition`, `region` and `environment`.

        Raises:
            KeyError: A placeholder that the document uses is not among them.
        """
        return canonical(fill(self.content, values))


def read_policy(
    folder: Path,
    name: str,
    *,
    role: str | None,
    limit: SizeLimit,
    known_values: Mapping[str, str] | None = None,
) -> PolicyDocument:
    """Reads and checks the policy document that a role names.

    Args:
        folder: Where policy documents are; nothing outside it is read.
        name: The file's path inside the folder.
        role: The role's name, for faults.
        limit: The size limit that applies to what the role is given.
        known_values: Values of placeholders that are known already; the size is checked with them, and with
            `SAMPLE_VALUES` for the others.

    Raises:
        FaultsError: With every fault of the document.
    """
    path = f"{folder.name}/{name if name.isprintable() and len(name) <= _LONGEST_NAME else ''}"
    where = path if role is None else f"{path} (role {role})"
    if message := _name_fault(folder, name):
        raise FaultsError([Fault(where, "", message)])
    content = read_object(folder / name, where)
    faults = _faults(content, where, limit, {**SAMPLE_VALUES, **(known_values or {})})
    if faults:
        raise FaultsError(faults)
    return PolicyDocument(path, content)


def check_policy(path: Path, shown_as: str) -> list[Fault]:
    """All faults of a policy document anywhere on disk, in the order of their places.

    Args:
        path: The file.
        shown_as: How faults name it.
    """
    try:
        content = read_object(path, shown_as)
    except FaultsError as error:
        return list(error.faults)
    return _faults(content, shown_as, INLINE_POLICY_LIMIT, SAMPLE_VALUES)


def _faults(content: Mapping[str, Any], where: str, limit: SizeLimit, values: Mapping[str, str]) -> list[Fault]:
    findings = sorted(dict.fromkeys(_findings(content)), key=lambda finding: _natural(finding[0]))
    if not findings and (message := size_fault(canonical(fill(content, values)), limit)):
        findings.append(("", message))
    return [Fault(where, *finding) for finding in findings]


def _findings(content: Mapping[str, Any]) -> Iterator[Finding]:
    said = set()
    for place, message in placeholder_faults(content):
        said.add(place)
        yield place, message
    for place, message in grammar_faults(content):
        # A wrong placeholder often makes a wrong ARN as well; one of the two is enough.
        if place not in said:
            yield place, message
    yield from action_faults(content)


def _natural(place: str) -> list[str | int]:
    """Sorts `Statement[10]` after `Statement[9]`; texts and numbers alternate, so that they compare."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", place)]


def _name_fault(folder: Path, name: str) -> str | None:
    inside = PurePosixPath(name)
    if not name.isprintable() or not name or len(name) > _LONGEST_NAME:
        return f"{shown(name)} is not a file's name; name a .json file in {folder.name}/"
    if inside.is_absolute() or ".." in inside.parts:
        return f"{shown(name)} leads out of {folder.name}/; name a file inside it, such as reader.json"
    if inside.suffix != ".json":
        return f"{shown(name)} does not end in .json; policy documents are JSON files"
    try:
        target = (folder / name).resolve()
        if not target.is_relative_to(folder.resolve()):
            return f"{shown(name)} is a link that leads out of {folder.name}/; put the file itself there"
        if target.exists():
            return None
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        return f"cannot be read: {getattr(error, 'strerror', None) or 'its links go in a circle'}"
    near = get_close_matches(name, [path.relative_to(folder).as_posix() for path in folder.rglob("*.json")], n=1)
    return "there is no such file" + (f"; did you mean {near[0]!r}?" if near else f" in {folder.name}/")
