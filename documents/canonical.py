"""One form for all spellings of a policy document, so that a preview shows changes of meaning alone.

These make no difference: white space, the order of keys, the order and repetition of values in Action,
NotAction, Resource, NotResource and conditions (AWS reads each as a set), a text or a list of one, a
statement or a list of one, the order and repetition of statements, and a condition's value as a number, a
truth value or text (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
"""

import json
from collections.abc import Mapping
from typing import Any

_ORDER = (
    "Version",
    "Id",
    "Statement",
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)


def canonical(document: Mapping[str, Any]) -> str:
    """Writes a policy document in its canonical form: compact JSON, elements in AWS's customary order.

    Args:
        document: A document that keeps IAM's grammar (`documents.grammar`).
    """
    statements = document["Statement"]
    unique = {
        _json(_statement(statement)): statement
        for statement in (statements if isinstance(statements, list) else [statements])
    }
    return _json(_ordered({**document, "Statement": [_statement(unique[text]) for text in sorted(unique)]}))


def _statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for element, value in statement.items():
        if element in {"Action", "NotAction", "Resource", "NotResource"}:
            result[element] = _set(value)
        elif element == "Condition":
            result[element] = {
                operator: {key: _set(values) for key, values in sorted(keys.items())}
                for operator, keys in sorted(value.items())
            }
        else:
            result[element] = value
    return _ordered(result)


def _ordered(elements: Mapping[str, Any]) -> dict[str, Any]:
    return {element: elements[element] for element in sorted(elements, key=_ORDER.index)}


def _set(value: Any) -> str | list[str]:  # noqa: ANN401 - one JSON value or a list
    texts = sorted({_text(item) for item in (value if isinstance(value, list) else [value])})
    return texts[0] if len(texts) == 1 else texts


def _text(value: Any) -> str:  # noqa: ANN401 - a JSON scalar
    return value if isinstance(value, str) else json.dumps(value)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
