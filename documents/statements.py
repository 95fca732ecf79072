"""The statements of a policy document, in one shape, and what they cover at most.

"At most" leaves conditions and resources aside: what is not covered here cannot be allowed. Whether a given
request is allowed is asked of `documents.evaluation`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from typing import Any

from documents.wording import step


@dataclass(frozen=True)
class Statement:
    """One statement of a document that keeps IAM's grammar.

    Attributes:
        place: Where it stands in the document.
        effect: `Allow` or `Deny`.
        action_element: `Action` or `NotAction`.
        actions: The patterns of that element.
        resource_element: `Resource` or `NotResource`.
        resources: The patterns of that element.
        conditions: The Condition element, empty if there is none.
    """

    place: str
    effect: str
    action_element: str
    actions: tuple[str, ...]
    resource_element: str
    resources: tuple[str, ...]
    conditions: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        """Whether its effect is to allow."""
        return self.effect == "Allow"

    @property
    def negates_actions(self) -> bool:
        """Whether it speaks of all actions but those that it names."""
        return self.action_element == "NotAction"

    @property
    def negates_resources(self) -> bool:
        """Whether it speaks of all resources but those that it names."""
        return self.resource_element == "NotResource"

    def covers(self, action: str) -> bool:
        """Whether it speaks of an action, whatever its resources and conditions."""
        return any(_like(pattern).match(action.lower()) for pattern in self.actions) != self.negates_actions

    def always_denies(self, action: str) -> bool:
        """Whether it denies an action on every resource and under no condition."""
        everywhere = "*" in self.resources and not self.negates_resources
        return not self.allows and everywhere and not self.conditions and self.covers(action)


def statements_of(document: Mapping[str, Any]) -> list[Statement]:
    """The statements of a document, in its order."""
    found = document["Statement"]
    if not isinstance(found, list):
        return [_statement(found, "Statement")]
    return [_statement(statement, step("Statement", index)) for index, statement in enumerate(found)]


def may_allow(document: Mapping[str, Any], action: str) -> bool:
    """Whether a document allows an action on any resource, under any condition.

    A denial counts only if it holds for every resource and without condition, so the answer is never too small.
    """
    statements = statements_of(document)
    allowed = any(statement.allows and statement.covers(action) for statement in statements)
    return allowed and not any(statement.always_denies(action) for statement in statements)


def _statement(content: Mapping[str, Any], place: str) -> Statement:
    action = "Action" if "Action" in content else "NotAction"
    resource = "Resource" if "Resource" in content else "NotResource"
    return Statement(
        place,
        content["Effect"],
        action,
        tuple(_listed(content[action])),
        resource,
        tuple(_listed(content[resource])),
        content.get("Condition", {}),
    )


def condition_values(conditions: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Each condition as operator, key and values."""
    for operator, keys in conditions.items():
        for key, values in keys.items():
            yield operator, key, [str(value) for value in _listed(values)]


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - one JSON value or a list
    return value if isinstance(value, list) else [value]


@cache
def _like(pattern: str) -> re.Pattern[str]:
    # IAM's grammar has no brackets in an action, so fnmatch reads the pattern as IAM does.
    return re.compile(translate(pattern.lower()))
