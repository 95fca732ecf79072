"""Values of resources as the engine hands them to a pack: some of them are not known in a preview."""

from collections.abc import Mapping
from typing import Any

from pulumi_policy.proxy import UnknownValueError

Props = Mapping[str, Any]
"""A resource's properties, by their names in Pulumi's schema."""

UNKNOWN = "(known after the update)"
"""Stands for a value that a preview does not know. It is there, so it is not missing; what it is, the update sees."""


def known(props: Props, name: str) -> Any:  # noqa: ANN401 - any property's value
    """A property's value; None if it is not set, `UNKNOWN` if it is not known yet."""
    try:
        return props.get(name)
    except UnknownValueError:
        return UNKNOWN
