"""Exemptions: what a role's policy is let off, why and until when."""

from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from settings.plain import shown
from settings.types import Model, matches, unique

FindingKind = Literal[
    "wildcard-action",
    "wildcard-resource",
    "not-action",
    "privilege-escalation",
    "data-exposure",
    "pass-role",
]
"""The kinds of finding; `documents.findings` says what each is."""

KINDS: tuple[str, ...] = get_args(FindingKind)


_PULUMIS_MIDNIGHT = " 00:00:00 +0000 UTC"


def parse_day(value: Any) -> date:  # noqa: ANN401 - it is handed whatever YAML held
    """Reads a day such as `2027-03-31`.

    Args:
        value: What the settings say. Without quotes YAML makes a date of it, and Pulumi's engine a text of that.

    Raises:
        PydanticCustomError: The value is no day of the calendar.
    """
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value.removesuffix(_PULUMIS_MIDNIGHT))
    except (ValueError, TypeError, AttributeError):
        raise PydanticCustomError(
            "day", "{value} is not a day; write it as year, month and day such as 2027-03-31", {"value": shown(value)}
        ) from None


Day = Annotated[
    date,
    BeforeValidator(parse_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2027-03-31"]}),
]
"""A day in the settings, in UTC."""


class Exemption(Model):
    """Lets a role's policy keep what a check finds in it. Every preview shows it."""

    findings: Annotated[list[FindingKind], AfterValidator(unique), Field(min_length=1)]
    """The kinds of finding that it is about."""
    reason: Annotated[str, matches(r"(?=.*\S.*\S.*\S)[^\r\n]{3,500}", "gives no reason; write one line that does")]
    """Why the role needs it."""
    expires: Day
    """The last day on which it holds."""
