"""Reads the YAML of a stack's file, or of the file that stacks share."""

import re
import stat
from pathlib import Path
from typing import Any

import yaml

from settings.faults import Fault, FaultsError
from settings.plain import DEEPEST, MOST, shown

NAMESPACE = "vault-aws"
"""The project's configuration namespace: `vault-aws:roles` and so on."""

MAX_BYTES = 4 * 1024 * 1024
"""A stack of 2,000 roles has a tenth of that; a file beyond it is another file."""


_STACK_FILE = re.compile(r"Pulumi\.([A-Za-z0-9_.-]{1,100})\.yaml")


def stack_of(path: Path) -> str:
    """The name of the stack that a file is of.

    Raises:
        FaultsError: It is a name that Pulumi takes for none.
    """
    if match := _STACK_FILE.fullmatch(path.name):
        return match[1]
    message = "names no stack; write letters, digits, ., _ and - between Pulumi. and .yaml, 100 at most"
    raise FaultsError([Fault(path.name, "", message)])


def config_of(path: Path) -> dict[str, Any]:
    """The settings that stand under `config:` of a file, by full key.

    Raises:
        FaultsError: The file is missing, is not YAML, or is not of that form.
    """
    where = path.name
    try:
        content = _content(_text(path))
    except _UnreadableError as error:
        raise FaultsError([Fault(where, error.place, error.message)]) from None
    config = (content.get("config") or {}) if isinstance(content, dict) else content
    if not isinstance(config, dict):
        raise FaultsError([Fault(where, "config", "must be a mapping of settings; see docs/settings.md")])
    return config


class _UnreadableError(Exception):
    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place


def _text(path: Path) -> str:
    try:
        # A link may lead to a device that never ends.
        if not stat.S_ISREG(path.stat().st_mode):
            raise _UnreadableError("is not a regular file; write the stack's settings into one of that name")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _UnreadableError(f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise _UnreadableError(f"is over {MAX_BYTES // 2**20} MiB; split the stack, or is it the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _UnreadableError("is not UTF-8 text; save it as UTF-8", f"line {line}") from None


def _content(text: str) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        loader = _UniqueKeys(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _bounded(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _UnreadableError(f"is not YAML: {error.problem}", _place(error.problem_mark)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"holds the character U+{error.character:04X}, which YAML does not take; remove it"
        raise _UnreadableError(message, f"line {line}") from None
    except RecursionError:
        raise _UnreadableError(_TOO_DEEP) from None


_TOO_DEEP = (
    f"is nested over {DEEPEST} levels deep, or an alias stands within its own anchor; no setting needs ten levels"
)


def _bounded(root: yaml.Node) -> None:
    """Refuses what aliases make endless, before anything is made of it: `<<` would copy it out."""
    pending = [(root, 0)]
    count = 0
    while pending:
        node, depth = pending.pop()
        members = node.value if isinstance(node, yaml.CollectionNode) else []
        count += len(members)
        if depth > DEEPEST + 2:
            raise _UnreadableError(_TOO_DEEP, _place(node.start_mark))
        if count > MOST:
            raise _UnreadableError(
                f"holds over {MOST:,} values, each counted as often as an alias names it; write it without aliases, or "
                "split the stack"
            )
        for member in members:
            # A member of a mapping is a key with its value.
            pending += [(one, depth + 1) for one in (member if isinstance(member, tuple) else (member,))]


def _place(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key may stand once; PyYAML would keep the last and drop the others in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        # A list may be tagged as a mapping; PyYAML itself says so then.
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            key = key_node.value
            if isinstance(key, str) and key in seen and key_node.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {shown(key)} stands there twice", key_node.start_mark
                )
            if isinstance(key, str):
                seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401 - whatever the node says
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
            # PyYAML's own constructors of numbers, days and truths do not look before they convert.
            kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
            problem = f"{shown(node.value)} is no {kind}; write it in quotes if it is text"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def construct_undefined(self, node: yaml.Node) -> Any:  # noqa: ANN401 - it never returns
        problem = f"the tag {shown(node.tag)} makes nothing that a setting can be; remove it"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


_UniqueKeys.add_constructor(None, _UniqueKeys.construct_undefined)
