"""Durations as Vault writes them (`1h`, `90m`, `1h30m`), kept as whole seconds."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from settings.plain import shown

# More digits than any duration that Vault keeps has in seconds; Python itself refuses to read thousands of them.
_NUMBER = "([0-9]{1,12})"
_FORM = re.compile(rf"(?=.)(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?")
_LONGEST = 32 * 365 * 24 * 3600


def parse_duration(value: Any) -> int:  # noqa: ANN401 - it is handed whatever YAML held
    """Reads a duration such as `45s`, `90m` or `1h30m`.

    Args:
        value: What the settings say. A bare number is refused, since `3600` leaves the unit to guessing.

    Returns:
        Whole seconds, at least 1.

    Raises:
        PydanticCustomError: The value is not of that form, is zero, or is longer than Vault keeps.
    """
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError(
            "duration",
            "{value} is not a duration; write hours, minutes and seconds such as 1h, 90m or 1h30m",
            {"value": shown(value)},
        )
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if not 0 < total <= _LONGEST:
        raise PydanticCustomError(
            "duration", "{value} is out of range; it must be from 1s to 32 years", {"value": shown(value)}
        )
    return total


def format_duration(seconds: int) -> str:
    """Writes seconds as Go does (`1h0m0s`): the form in which Vault returns a duration."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def short_duration(seconds: int) -> str:
    """Writes seconds as a person would (`1h`, `90s` as `1m30s`)."""
    return re.sub("(?<=h)0m|(?<=[hm])0s", "", format_duration(seconds))


Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^(?=.)(\d+h)?(\d+m)?(\d+s)?$", "examples": ["1h", "90m"]}),
]
"""A duration in the settings; seconds in the program."""
