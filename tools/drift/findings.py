"""One difference between what a stack declares and what is."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

BY_HAND = "by hand"
"""Somebody changed Vault or AWS behind the stack's back."""
NOT_APPLIED = "not applied"
"""The settings, a document or the program changed, and no update has followed."""
TOO_OLD = "too old"
"""Nobody changed anything, and that is the fault."""
UNFINISHED = "unfinished"
"""An update was interrupted."""

NONE = "none"
"""What stands for a thing that is not there."""
UPDATE = "make up STACK={stack}"
REFRESH_AND_UPDATE = "pulumi refresh --stack {stack}, then make up STACK={stack}"
ROTATE = "make rotate STACK={stack}"
NEW_USER = (
    "change a field of the engine's root configuration, such as maxRetries, and make up STACK={stack}: a new user with "
    "a key of its own takes over"
)
"""For an engine whose key Vault rotates: nothing else writes its root configuration again."""


@dataclass(frozen=True)
class Finding:
    """A difference, and where it is.

    Attributes:
        what: The thing, such as `role my-role`.
        field: What of it, by the name that Vault, AWS or the provider gives it; empty for the thing itself.
        where: The ARN or the path in Vault at which it was changed.
        declared: What the stack says: its state, or its settings where these are not applied. Never a secret.
        actual: What is there. Never a secret.
        cause: Why they differ: one of the words above.
        mend: How the two are brought together again; `{stack}` stands for the stack's name.
    """

    what: str
    field: str
    where: str
    declared: Any
    actual: Any
    cause: str = BY_HAND
    mend: str = REFRESH_AND_UPDATE

    @property
    def title(self) -> str:
        """The thing and the field."""
        return f"{self.what}: {self.field}" if self.field else self.what

    def mend_of(self, stack: str) -> str:
        """How to mend it in a stack."""
        return self.mend.replace("{stack}", shlex.quote(stack))

    def values(self, stack: str) -> dict[str, Any]:
        """All of it, for JSON."""
        fields = ("what", "field", "where", "declared", "actual", "cause")
        return {name: getattr(self, name) for name in fields} | {"mend": self.mend_of(stack)}

    def shown(self) -> tuple[str, str]:
        """The declared and the actual value as texts; of documents and lists only what the other has not."""
        declared, actual = _parsed(self.declared), _parsed(self.actual)
        if type(declared) is type(actual):
            return _text(_only(declared, actual)), _text(_only(actual, declared))
        return _text(declared), _text(actual)


def _parsed(value: Any) -> Any:  # noqa: ANN401 - whatever a provider returned
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _only(one: Any, other: Any) -> Any:  # noqa: ANN401 - likewise
    """What of a value the other has not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: _only(value, other.get(name)) for name, value in one.items() if value != other.get(name)}
    if isinstance(one, list) and isinstance(other, list):
        return [item for item in one if item not in other]
    return one


def _text(value: Any) -> str:  # noqa: ANN401 - likewise
    if value is None or value in ("", [], {}):
        return NONE
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value)
