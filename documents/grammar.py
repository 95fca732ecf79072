"""The grammar of an identity policy: which elements it has and what each may hold.

Source: "Grammar of the IAM JSON policy language",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html. Placeholders may stand in it.
"""

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from documents.conditions import condition_faults
from documents.resources import resource_fault
from documents.wording import Finding, members, shown, step
from settings.nearest import did_you_mean

VERSION = "2012-10-17"
"""The version of the policy language in which `${aws:username}` is a variable and not text."""

_OLD_VERSION = "2008-10-17"
_DOCUMENT = ("Version", "Id", "Statement")
_STATEMENT = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?-]+")
_ALLOWED_CHARACTERS = re.compile(r"[\t\n\r\x20-\xff]*")


def grammar_faults(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Finds everything that keeps a document from being an identity policy.

    Whether its actions exist is asked by `documents.actions`.
    """
    yield from _character_faults(document)
    misspelt = yield from _unknown_elements(document, _DOCUMENT, "a policy document", "")
    if "Version" in document:
        yield from _version_faults(document["Version"])
    elif "Version" not in misspelt:
        yield "", f'Version is missing; write "Version": "{VERSION}"'
    if not isinstance(document.get("Id", ""), str):
        yield "Id", f"{shown(document['Id'])} must be text"
    if "Statement" in document:
        yield from _statements_faults(document["Statement"])
    elif "Statement" not in misspelt:
        yield "", "Statement is missing; write a list of statements"


def actions(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The actions of a document that have an action's form, each with its place; `*` is left out."""
    for place, statement in _statements(document.get("Statement")):
        for element in ("Action", "NotAction"):
            if isinstance(statement, dict) and element in statement:
                for here, action in _values(statement[element], step(place, element)):
                    if isinstance(action, str) and action != "*" and _ACTION.fullmatch(action):
                        yield here, action


def _character_faults(document: Mapping[str, Any]) -> Iterator[Finding]:
    for place, key, value in members(document):
        if isinstance(key, str) and not _ALLOWED_CHARACTERS.fullmatch(key):
            yield place, f"the key {shown(key)} has {_wrong_character(key)}"
        if isinstance(value, str) and not _ALLOWED_CHARACTERS.fullmatch(value):
            yield step(place, key), f"{shown(value)} has {_wrong_character(value)}"


def _wrong_character(text: str) -> str:
    wrong = next(character for character in text if not _ALLOWED_CHARACTERS.fullmatch(character))
    return f"the character U+{ord(wrong):04X}; IAM takes tabs, line ends and U+0020 to U+00FF in a policy"


def _unknown_elements(
    elements: Mapping[str, Any], known: tuple[str, ...], owner: str, place: str
) -> Generator[Finding, None, set[str]]:
    """Yields a fault for each unknown element; returns the names that were probably meant."""
    meant: set[str] = set()
    for element in elements:
        if element in {"Principal", "NotPrincipal"}:
            yield (
                place,
                f"{element} belongs in a trust or resource policy; an identity policy speaks of whoever holds it, "
                "so remove it",
            )
        elif element not in known:
            near = did_you_mean(element, known)
            yield place, f"{shown(element)} is not an element of {owner}{near}"
            meant |= {name for name in known if near.endswith(f" {name!r}?")}
    return meant


def _version_faults(version: object) -> Iterator[Finding]:
    if version == _OLD_VERSION:
        yield (
            "Version",
            f"{version!r} does not understand policy variables such as ${{aws:username}}; write {VERSION!r}",
        )
    elif version != VERSION:
        yield "Version", f"{shown(version)} is not a version of the policy language; write {VERSION!r}"


def _statements(value: object) -> Iterator[tuple[str, Any]]:
    return _values(value, "Statement")


def _values(value: object, place: str) -> Iterator[tuple[str, Any]]:
    """The members of a list, or a single value, each with its place."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield step(place, index), item
    else:
        yield place, value


def _statements_faults(value: object) -> Iterator[Finding]:
    if value == []:
        yield "Statement", "is empty; write at least one statement"
    seen: dict[str, str] = {}
    for place, statement in _statements(value):
        if not isinstance(statement, dict):
            yield place, f"{shown(statement)} must be a statement: an object with Effect, Action and Resource"
            continue
        yield from _statement_faults(statement, place)
        sid = statement.get("Sid")
        # IAM takes several empty Sids; Terraform writes them.
        if isinstance(sid, str) and sid:
            first = seen.setdefault(sid, place)
            if first != place:
                yield step(place, "Sid"), f"{shown(sid)} is the Sid of {first} too; give each statement its own"


def _statement_faults(statement: Mapping[str, Any], place: str) -> Iterator[Finding]:
    misspelt = yield from _unknown_elements(statement, _STATEMENT, "a statement", place)
    if "Sid" in statement:
        yield from _sid_faults(statement["Sid"], step(place, "Sid"))
    if "Effect" not in statement:
        if "Effect" not in misspelt:
            yield place, "Effect is missing; write 'Allow' or 'Deny'"
    elif statement["Effect"] not in ("Allow", "Deny"):
        yield step(place, "Effect"), f"{shown(statement['Effect'])} must be 'Allow' or 'Deny', spelt so"
    for element, noun, check in (("Action", "action", _action_fault), ("Resource", "resource", resource_fault)):
        present = [name for name in (element, f"Not{element}") if name in statement]
        if len(present) > 1:
            yield place, f"has both {element} and Not{element}; keep one of them"
        if not present and not misspelt & {element, f"Not{element}"}:
            yield place, f"has neither {element} nor Not{element}; write one of them"
        for name in present:
            yield from _list_faults(statement[name], step(place, name), noun, check)
    if "Condition" in statement:
        yield from condition_faults(statement["Condition"], step(place, "Condition"))


def _sid_faults(sid: object, place: str) -> Iterator[Finding]:
    if not isinstance(sid, str):
        yield place, f"{shown(sid)} must be text"
    elif not re.fullmatch(r"[A-Za-z0-9]*", sid):
        yield place, f"{shown(sid)} must have letters (A to Z, a to z) and digits only"


def _list_faults(value: object, place: str, noun: str, check: Callable[[str], str | None]) -> Iterator[Finding]:
    if value == []:
        yield place, f"is empty; name at least one {noun}"
    for here, item in _values(value, place):
        if not isinstance(item, str):
            yield here, f"{shown(item)} must be text or a list of texts"
        elif message := check(item):
            yield here, message


def _action_fault(action: str) -> str | None:
    if _ACTION.fullmatch(action):
        return None
    return f"{shown(action)} is not of the form service:Name; write one such as 's3:GetObject', or '*'"
