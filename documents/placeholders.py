"""Placeholders in a policy document: what they may be, and filling them in.

`${account}`, `${partition}`, `${region}` and `${environment}` stand for what differs between stacks. They
are filled in the parsed document, value by value, so that no value can change the document's structure.
AWS's own policy variables (`${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and the escapes `${*}`,
`${?}`, `${$}`) stay as they are: AWS fills them at each request
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from documents.wording import Finding, members, shown, step
from settings.nearest import did_you_mean
from settings.place import PLACEHOLDERS

VARIABLE = re.compile(r"\$\{((?:'[^']*'|[^'}])*)(\}?)")
"""One `${…}`, be it a placeholder or AWS's; a default in quotes may hold a brace. Group 2 is its end."""

_ESCAPES = ("*", "?", "$")


def placeholder_faults(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Finds placeholders that cannot be filled, and those that stand in a key."""
    for place, key, value in members(document):
        if isinstance(key, str) and "${" in key:
            yield (
                place,
                f"the key {shown(key)} holds '${{', and only values are filled in; write the key in full",
            )
        if isinstance(value, str):
            for match in VARIABLE.finditer(value):
                if message := _fault(match):
                    yield step(place, key), message


def fill(document: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """A copy of the document with its placeholders filled.

    Args:
        document: A document without `placeholder_faults`.
        values: By placeholder's name; what a value holds is not looked at again.

    Raises:
        KeyError: The document has a placeholder of which `values` says nothing.
    """
    return {key: _filled(value, values) for key, value in document.items()}


def _fault(match: re.Match[str]) -> str | None:
    name, end = match.groups()
    if not end or "${" in name:
        return f"{shown(match[0])} is not closed; write '}}' after the name"
    if ":" in name or name in _ESCAPES or name in PLACEHOLDERS:
        return None
    near = did_you_mean(f"${{{name}}}", (f"${{{right}}}" for right in PLACEHOLDERS))
    return f"{shown(match[0])} is not a placeholder{near} (AWS's own variables have a colon: ${{aws:username}})"


def _filled(value: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: values[match[1]] if match[1] in PLACEHOLDERS else match[0], value)
    if isinstance(value, dict):
        return fill(value, values)
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return value
