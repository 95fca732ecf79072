"""The Condition element of a statement.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Any

from documents.wording import Finding, shown, step

_ANY = ("Equals", "NotEquals")
_COMPARED = (*_ANY, "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS = (
    *(f"String{test}" for test in (*_ANY, "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")),
    *(f"Numeric{test}" for test in _COMPARED),
    *(f"Date{test}" for test in _COMPARED),
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    *(f"Arn{test}" for test in (*_ANY, "Like", "NotLike")),
    "Null",
)
"""The operators by their plain names."""

_PLAIN = frozenset((*OPERATORS, *(f"{operator}IfExists" for operator in OPERATORS if operator != "Null")))
_ALL = _PLAIN | {f"{of}:{operator}" for of in ("ForAllValues", "ForAnyValue") for operator in _PLAIN}
# Keys of a web identity begin with its issuer: accounts.google.com:aud, oidc.example.com/id/5:sub.
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]*:\S(.*\S)?")

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_TRUTH = re.compile(r"true|false", re.IGNORECASE)
_DATE = re.compile(r"\d+|\d{4}-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?", re.ASCII | re.IGNORECASE)


def condition_faults(condition: Any, place: str) -> Iterator[Finding]:  # noqa: ANN401 - any JSON
    """Finds what AWS would refuse in a Condition.

    Args:
        condition: The element's value.
        place: Where it stands in the document.
    """
    if not isinstance(condition, dict):
        yield place, f'{shown(condition)} must be an object such as {{"Bool": {{"aws:SecureTransport": "true"}}}}'
        return
    if not condition:
        yield place, "is empty; remove it or name a condition"
    for operator, keys in condition.items():
        if operator not in _ALL:
            yield place, _wrong_operator(operator)
        elif not isinstance(keys, dict):
            yield step(place, operator), f"{shown(keys)} must be an object of condition keys and their values"
        elif not keys:
            yield step(place, operator), "is empty; remove it or name a condition key"
        else:
            yield from _key_faults(operator, keys, step(place, operator))


def _wrong_operator(operator: str) -> str:
    if operator.endswith("NullIfExists"):
        return f"{shown(operator)} is not a condition operator: Null itself asks whether a key exists; write 'Null'"
    near = get_close_matches(operator, sorted(_ALL), n=1)
    end = f"did you mean {near[0]!r}?" if near else f"the operators are {', '.join(OPERATORS)}"
    return f"{shown(operator)} is not a condition operator; {end}"


def _key_faults(operator: str, keys: dict[str, Any], place: str) -> Iterator[Finding]:
    first_spelling: dict[str, str] = {}
    for key, value in keys.items():
        other = first_spelling.setdefault(key.lower(), key)
        if not _KEY.fullmatch(key):
            yield place, f"{shown(key)} is not a condition key; write it as 'service:name', such as 'aws:SourceIp'"
        elif other != key:
            yield place, f"{shown(other)} and {shown(key)} are one key, whose case does not count; join their values"
        elif value == []:
            yield step(place, key), "is empty; name at least one value"
        else:
            yield from _value_faults(operator, value, step(place, key))


def _value_faults(operator: str, value: Any, place: str) -> Iterator[Finding]:  # noqa: ANN401 - any JSON
    listed = isinstance(value, list)
    for index, item in enumerate(value if listed else [value]):
        here = step(place, index) if listed else place
        if not isinstance(item, str | int | float):
            yield here, f"{shown(item)} must be text, a number, true or false, or a list of these"
        elif message := _kind_fault(operator.rsplit(":", maxsplit=1)[-1], item):
            yield here, message


def _kind_fault(operator: str, value: str | float) -> str | None:
    text = value if isinstance(value, str) else str(value)
    if "${" in text:
        return None  # what it will be is known only later
    if operator.startswith("Numeric") and not _NUMBER.fullmatch(text):
        return f"{shown(value)} is not a number, which {operator} compares with"
    if operator.startswith("Date") and not _DATE.fullmatch(text):
        return f"{shown(value)} is not a date; write one such as 2030-01-31T00:00:00Z"
    if operator.startswith(("Bool", "Null")) and not _TRUTH.fullmatch(text):
        return f"{shown(value)} must be true or false for {operator}"
    if operator.startswith(("IpAddress", "NotIpAddress")) and not _is_network(text):
        return f"{shown(value)} is not an IP address or range; write one such as 203.0.113.0/24"
    return None


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
