"""Reads a policy file: bytes to one JSON object, or the faults that stand in the way."""

import json
import math
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from documents.wording import Finding, members, shown, step
from settings.faults import Fault, FaultsError

MAX_BYTES = 64 * 1024
"""Far over AWS's largest policy; a file beyond it is another file."""
MAX_DEPTH = 20
"""A policy document needs seven levels; the program stays far from Python's own limit."""

_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


@dataclass(frozen=True)
class _NotANumber:
    """Stands in the parsed document for a number that JSON, or this program, does not take."""

    text: str


class _Repeated(dict[str, Any]):
    """An object in which keys stand more than once; JSON parsers keep the last in silence."""

    repeated: tuple[str, ...] = ()


def read_object(path: Path, where: str) -> dict[str, Any]:
    """Reads a file that holds one JSON object.

    Args:
        path: The file.
        where: How faults name it.

    Raises:
        FaultsError: The file cannot be read, is over 64 KiB, is not UTF-8 or not JSON, or a key stands in
            one of its objects twice.
    """
    try:
        text = _decoded(_bytes(path))
        document = _parsed(text)
    except _UnreadableError as error:
        raise FaultsError([Fault(where, error.place, error.message)]) from None
    if not isinstance(document, dict):
        kind = _KINDS.get(type(document), "a number")
        raise FaultsError([Fault(where, "", f"must be one object {{ … }}, and is {kind}")])
    faults = [Fault(where, *finding) for finding in _oddities(document)]
    if faults:
        raise FaultsError(faults)
    return document


class _UnreadableError(Exception):
    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place


def _bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _UnreadableError("is a folder; name a .json file in it")
        if not stat.S_ISREG(status.st_mode):
            raise _UnreadableError("is not a regular file; name a .json file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _UnreadableError("there is no such file") from None
    except OSError as error:
        raise _UnreadableError(f"cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in the path
        raise _UnreadableError("is not a file's path") from None
    if len(data) > MAX_BYTES:
        raise _UnreadableError("is over 64 KiB, and AWS's largest policy is a tenth of that; is it the right file?")
    return data


def _decoded(data: bytes) -> str:
    try:
        # Editors on Windows begin a file with a byte order mark; nothing is lost by passing over it.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _UnreadableError("is not UTF-8 text; save the file as UTF-8", f"line {line}") from None


def _parsed(text: str) -> Any:  # noqa: ANN401 - whatever the file holds
    if not text.strip():
        raise _UnreadableError("is empty; write an IAM policy document")
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_NotANumber,
            parse_int=_integer,
            parse_float=_float,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _UnreadableError(f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}", place) from None
    except RecursionError:
        raise _UnreadableError(_TOO_DEEP) from None


_TOO_DEEP = f"is nested over {MAX_DEPTH} levels deep; a policy document has seven"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = _Repeated(pairs)
    if len(result) == len(pairs):
        return dict(result)
    keys = [key for key, _ in pairs]
    result.repeated = tuple(key for key in result if keys.count(key) > 1)
    return result


def _integer(text: str) -> int | _NotANumber:
    # Python itself refuses to read integers of over 4,300 digits.
    return int(text) if len(text) <= 19 else _NotANumber(text)  # noqa: PLR2004 - the digits of 64 bits


def _float(text: str) -> float | _NotANumber:
    number = float(text)
    return number if math.isfinite(number) else _NotANumber(text)


def _oddities(document: dict[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    if isinstance(document, _Repeated):
        found += [("", _twice(key)) for key in document.repeated]
    depths = {"": 1}
    for place, key, child in members(document):
        here = step(place, key)
        if isinstance(child, _NotANumber):
            found.append((here, f"{_cut(child.text)} is not a number that a policy can hold; write a number or text"))
        if isinstance(child, _Repeated):
            found += [(here, _twice(repeated)) for repeated in child.repeated]
        if isinstance(child, dict | list):
            depths[here] = depths[place] + 1
            if depths[here] > MAX_DEPTH:
                return [*found, ("", _TOO_DEEP)]
    return found


def _twice(key: str) -> str:
    return f"the key {shown(key)} stands there more than once; keep one (programs differ in which they read)"


def _cut(number: str) -> str:
    return number if re.fullmatch(r".{1,40}", number) else f"{number[:40]}…"
