"""What the rules know beside the resources: the environment, what it demands, and the roles' exemptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from settings.exemptions import parse_day
from settings.files import NAMESPACE


@dataclass(frozen=True)
class Environment:
    """What is demanded of the stacks of one environment.

    Attributes:
        longest_lease: The longest that a lease or a session may live, in seconds.
        mandatory: Whether a violation stops the stack; otherwise it is shown.
        audited: Whether Vault must write an audit log.
    """

    longest_lease: int
    mandatory: bool = True
    audited: bool = True


HOUR = 3600
ENVIRONMENTS: Mapping[str, Environment] = {
    "local": Environment(longest_lease=12 * HOUR, mandatory=False, audited=False),
    "dev": Environment(longest_lease=12 * HOUR),
    "staging": Environment(longest_lease=8 * HOUR),
    "prod": Environment(longest_lease=4 * HOUR),
}
"""The environments by name. One that is not among them is held to what `prod` is."""


@dataclass(frozen=True)
class Facts:
    """What the rules know of a stack.

    Attributes:
        name: The environment's name.
        environment: What is demanded of it.
        today: The day, in UTC.
        exempted: The kinds of finding from which roles are exempted today, by role.
        devices_of_others: Audit devices that others make, and whose presence the program itself checks.
    """

    name: str
    environment: Environment
    today: date
    exempted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    devices_of_others: frozenset[str] = frozenset()


def facts_of(config: Mapping[str, Any], stack: str, today: date) -> Facts:
    """Reads the facts from a stack's configuration.

    The pack judges stacks of other programs too, so it takes from their configuration what it can read and has no
    opinion of the rest.

    Args:
        config: Configuration values by full key.
        stack: The stack's name.
        today: The day, in UTC.
    """
    name = str(config.get(f"{NAMESPACE}:environment") or stack)
    roles = _mapping(config.get(f"{NAMESPACE}:roles"))
    devices = _mapping(_mapping(config.get(f"{NAMESPACE}:audit")).get("devices"))
    return Facts(
        name,
        ENVIRONMENTS.get(name, ENVIRONMENTS["prod"]),
        today,
        {role: _kinds(_mapping(settings).get("exemptions"), today) for role, settings in roles.items()},
        frozenset(path for path, device in devices.items() if _mapping(device).get("managed") is False),
    )


def _kinds(exemptions: object, today: date) -> frozenset[str]:
    kinds: set[str] = set()
    for exemption in map(_mapping, exemptions if isinstance(exemptions, list) else []):
        try:
            holds = parse_day(exemption.get("expires")) >= today
        except ValueError:
            holds = False
        if holds and str(exemption.get("reason") or "").strip():
            findings = exemption.get("findings")
            kinds.update(map(str, findings if isinstance(findings, list) else []))
    return frozenset(kinds)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
