"""Reads a stack's settings, from Pulumi or from its file, and says all that is wrong with them at once."""

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from settings.faults import Fault, FaultsError
from settings.files import NAMESPACE, config_of, stack_of
from settings.model import Settings
from settings.plain import shown
from settings.roles import SHORTEST_SESSION, AssumedRole, FederationTokenRole, IamUserRole
from settings.rules import rule_faults
from settings.shared import StackConfig, with_shared
from settings.trace import trace_tags
from settings.vault_connection import address_fault
from settings.wording import as_fault

_NAMESPACES = ("aws", "pulumi", "vault", NAMESPACE)
"""Whose settings this stack's programs and providers read."""


def decode_config(config: Mapping[str, str]) -> dict[str, Any]:
    """The configuration as Pulumi hands it to a program, where objects are JSON texts, as values."""
    return {key: _decoded(value) for key, value in config.items()}


def read_config(path: Path) -> StackConfig:
    """The configuration of a stack's file over the file that it shares, without Pulumi.

    Raises:
        FaultsError: One of the files is missing, is not YAML, or is not of its form.
    """
    return with_shared(config_of(path), stack_of(path), path.name)


def from_values(config: Mapping[str, Any], stack: str, where: str) -> Settings:
    """Settings from configuration values of all namespaces.

    Args:
        config: Values by full key (`vault-aws:roles`, `aws:region`).
        stack: The stack's name; the environment unless one is set.
        where: The file to name in faults.

    Raises:
        FaultsError: With every fault.
    """
    config = with_shared(config, stack, where)
    try:
        return _checked(config, stack, where)
    except FaultsError as error:
        # What was not filled or taken away breaks other rules as well; one fault a place is enough.
        known = {(fault.where, fault.field) for fault in config.faults}
        others = [fault for fault in config.attributed(error.faults) if (fault.where, fault.field) not in known]
        raise FaultsError(sorted({*config.faults, *others})) from None


def _checked(config: StackConfig, stack: str, where: str) -> Settings:
    prefix = f"{NAMESPACE}:"
    own = {key.removeprefix(prefix): value for key, value in config.items() if str(key).startswith(prefix)}
    faults = [
        Fault(where, f"{prefix}{key}", "is derived, not set; set aws:region instead") for key in own if key == "region"
    ]
    faults += [Fault(where, *fault) for fault in _misplaced(config)]
    own["environment"] = own.get("environment") or stack
    if "aws:region" not in config:
        faults.append(Fault(where, "aws:region", "is missing; name the region, such as us-west-2"))
    own["region"] = config.get("aws:region", "us-east-1")
    try:
        settings = Settings.model_validate(own)
    except ValidationError as error:
        faults += [as_fault(details, own, where) for details in error.errors(include_url=False)]
        raise FaultsError(sorted(faults)) from None
    faults += [Fault(where, *fault) for fault in rule_faults(settings)]
    if faults or config.faults:
        raise FaultsError(sorted(faults))
    return _with_trace_tags(_with_session_ttls(settings))


def _misplaced(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Says which keys nobody would read, and which of the providers' would lead nowhere, as (field, message)."""
    for key in config:
        namespace, colon, name = key.partition(":")
        near = get_close_matches(namespace, _NAMESPACES, n=1)
        if not key:
            yield "config", "the key '' names no setting; remove it"
        elif not colon:
            yield key, f"names no namespace, and Pulumi takes no such key; write {NAMESPACE}:{key}"
        elif near and namespace not in _NAMESPACES:
            yield (
                key,
                f"is of the namespace {shown(namespace)}, which nothing here reads; did you mean {near[0]}:{name}?",
            )
    if message := address_fault(config.get("vault:address")):
        yield "vault:address", message


def _decoded(value: str) -> Any:  # noqa: ANN401 - whatever JSON held
    try:
        decoded = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return decoded if isinstance(decoded, dict | list | bool) else value


def _with_trace_tags(settings: Settings) -> Settings:
    """Adds the tags by which an IAM user is traced to its role."""
    roles = {
        name: role.model_copy(
            update={
                "iam_tags": role.iam_tags
                | trace_tags(name, settings.environment, settings.mount_path(settings.engine_of(name)))
            }
        )
        for name, role in settings.roles.items()
        if isinstance(role, IamUserRole)
    }
    return settings.model_copy(update={"roles": {**settings.roles, **roles}})


def _with_session_ttls(settings: Settings) -> Settings:
    """Settles the TTLs of sessions that the settings leave open.

    They are always written: the provider does not send a TTL of which nothing is said any more, and
    Vault would keep the old one.
    """
    roles = {}
    for name, role in settings.roles.items():
        if isinstance(role, AssumedRole | FederationTokenRole):
            engine = settings.engines[settings.engine_of(name)]
            longest = role.max_sts_ttl or min(engine.max_lease_ttl, role.longest_session)
            default = role.default_sts_ttl or max(SHORTEST_SESSION, min(engine.default_lease_ttl, longest))
            roles[name] = role.model_copy(update={"default_sts_ttl": default, "max_sts_ttl": longest})
    return settings.model_copy(update={"roles": {**settings.roles, **roles}})
