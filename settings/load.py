"""Reads a stack's settings, from Pulumi or from its file, and says all that is wrong with them at once."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from settings.access import access_faults
from settings.alarm import alarm_faults
from settings.audit import DEVICE_TYPES, audit_faults
from settings.auth_methods import METHOD_TYPES
from settings.durations import format_duration
from settings.faults import Fault, FaultsError
from settings.files import NAMESPACE, config_of
from settings.model import Settings
from settings.nearest import did_you_mean
from settings.plain import shown
from settings.roles import ROLE_TYPES, SHORTEST_SESSION, AssumedRole, FederationTokenRole, IamUserRole
from settings.shared import StackConfig, with_shared
from settings.static_roles import static_role_faults
from settings.trace import trace_tag_faults, trace_tags
from settings.usernames import username_prefix

_TAG_PLACES = {"roles": 2, "authMethods": 2, "audit": 3}
"""Where pydantic puts the tag of a union into a place such as roles, reader, iam_user, policy."""
_TAGGED: Mapping[str, Any] = {**ROLE_TYPES, **METHOD_TYPES, **DEVICE_TYPES}
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "list_type": "a list",
    "bool_type": "true or false, without quotes",
}
_UNIONS = {Union, UnionType}
_DERIVED = {"region"}
"""Fields of the settings that nobody sets."""


def decode_config(config: Mapping[str, str]) -> dict[str, Any]:
    """The configuration as Pulumi hands it to a program, where objects are JSON texts, as values."""
    return {key: _decoded(value) for key, value in config.items()}


def read_config(path: Path) -> StackConfig:
    """The configuration of a stack's file over the file that it shares, without Pulumi.

    Raises:
        FaultsError: One of the files is missing, is not YAML, or is not of its form.
    """
    stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    return with_shared(config_of(path), stack, path.name)


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
    own["environment"] = own.get("environment") or stack
    if "aws:region" not in config:
        faults.append(Fault(where, "aws:region", "is missing; name the region, such as us-west-2"))
    own["region"] = config.get("aws:region", "us-east-1")
    try:
        settings = Settings.model_validate(own)
    except ValidationError as error:
        faults += [_as_fault(details, own, where) for details in error.errors(include_url=False)]
        raise FaultsError(sorted(faults)) from None
    faults += [Fault(where, *fault) for fault in _across(settings)]
    if faults or config.faults:
        raise FaultsError(sorted(faults))
    return _with_trace_tags(_with_session_ttls(settings))


def _decoded(value: str) -> Any:  # noqa: ANN401 - whatever JSON held
    try:
        decoded = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return decoded if isinstance(decoded, dict | list | bool) else value


def _as_fault(details: ErrorDetails, own: Mapping[str, Any], where: str) -> Fault:
    """One of pydantic's errors in the words of the settings file."""
    # A union's branch (`iam_user`, after the name) is part of pydantic's place but not of the file's; so is `[key]`.
    tag = _TAG_PLACES.get(str(details["loc"][0]))
    steps = [
        step for place, step in enumerate(details["loc"]) if step != "[key]" and (place != tag or step not in _TAGGED)
    ]
    field = ""
    for step in steps:
        field += f"[{step}]" if isinstance(step, int) else f"{'.' if field else ''}{step}"
    return Fault(where, "aws:region" if field == "region" else field, _message(details, steps, own))


def _message(details: ErrorDetails, steps: list[int | str], own: Mapping[str, Any]) -> str:
    kind, value, context = details["type"], details.get("input"), details.get("ctx", {})
    tag, meaning, tags = (
        ("type", "type of auth method that is made here", METHOD_TYPES)
        if steps[0] == "authMethods"
        else ("type", "type of audit device", DEVICE_TYPES)
        if steps[0] == "audit"
        else ("credentialType", "credential type", ROLE_TYPES)
    )
    role = own.get("roles", {}).get(steps[1]) if steps[0] == "roles" and len(steps) > 1 else None
    match kind:
        case "extra_forbidden":
            return _unknown(str(steps[-1]), details["loc"][:-1], role)
        case "missing":
            return "is missing"
        case "union_tag_not_found":
            return f"has no {tag}; write one of: {', '.join(tags)}"
        case "union_tag_invalid":
            return f"{tag} {shown(context['tag'])} is not a {meaning}{did_you_mean(context['tag'], tags)}"
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{shown(value)} must be a mapping of settings"
        case "string_pattern_mismatch":
            return f"{shown(value)} must be 1 to 31 lower-case letters, digits and hyphens, and begin with a letter"
        case "string_type" | "int_type" | "list_type" | "bool_type":
            return f"{shown(value)} must be {_WANTED[kind]}"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", context["expected"])
            return f"{shown(value)} is not known here{did_you_mean(str(value), choices)}"
        case "greater_than_equal" | "less_than_equal" | "string_too_short" | "too_short" | "too_long":
            return _out_of_bounds(kind, value, context, of_session="Ttl" in str(steps[-1]))
        case _:
            return details["msg"]


def _out_of_bounds(kind: str, value: object, context: Mapping[str, Any], *, of_session: bool) -> str:
    match kind:
        case "greater_than_equal" if of_session:
            return f"{value} is too short; AWS makes sessions of at least {format_duration(context['ge'])}"
        case "greater_than_equal" if isinstance(value, str):
            return f"{value} is too short; write {format_duration(context['ge'])} or longer"
        case "greater_than_equal":
            return f"{value} is too small; write {context['ge']} or more"
        case "less_than_equal":
            return f"{value} is too large; write {context['le']:,} or less"
        case "too_short":
            return f"is empty; name at least {context['min_length']}"
        case "too_long":
            return f"has {context['actual_length']:,} entries and takes {context['max_length']:,}; leave out the others"
        case _:
            return "is empty; write it, or remove it"


def _unknown(key: str, place: tuple[int | str, ...], role: object) -> str:
    """Says of an unknown key whether it belongs to another credential type, or which was meant."""
    takers = [name for name, model in ROLE_TYPES.items() if key in _keys(model)]
    if takers and isinstance(role, dict) and place[-1] in ROLE_TYPES:
        return (
            f"goes with credentialType {' or '.join(takers)}, and this role is {role['credentialType']}; "
            "remove it, or change the type"
        )
    return f"is not a setting{did_you_mean(key, _keys(_model_at(place)) - _DERIVED)}"


def _model_at(place: tuple[int | str, ...]) -> Any:  # noqa: ANN401 - a pydantic model class
    """The model whose settings stand in a place, which pydantic gives with the tags of unions."""
    found: Any = Settings
    for step in place:
        if get_origin(found) in _UNIONS:
            found = _TAGGED[str(step)]
        elif hasattr(found, "model_fields"):
            found = _bare(next(field.annotation for name, field in _fields(found) if name == step))
        else:
            found = _bare(get_args(found)[-1])  # what stands in the list or the mapping
    return found


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - any type
    """A type without its constraints, and without the None that may stand for it."""
    choices = [choice for choice in get_args(annotation) if choice is not NoneType]
    if get_origin(annotation) is Annotated or (get_origin(annotation) in _UNIONS and len(choices) == 1):
        return _bare(choices[0])
    return annotation


def _fields(model: Any) -> Iterator[tuple[str, FieldInfo]]:  # noqa: ANN401 - a pydantic model class
    for name, field in model.model_fields.items():
        yield field.alias or to_camel(name), field


def _keys(model: Any) -> set[str]:  # noqa: ANN401 - a pydantic model class
    return {name for name, _ in _fields(model)}


def _across(settings: Settings) -> Iterator[tuple[str, str]]:
    """The rules that take more than one field, as (field, message)."""
    yield from audit_faults(settings.audit, settings.environment)
    yield from alarm_faults(settings.alarm)
    paths: dict[str, str] = {}
    for name, engine in settings.engines.items():
        path = settings.mount_path(name)
        for other, owner in paths.items():
            if f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/"):
                yield (
                    f"engines.{name}.path",
                    f"{shown(path)} collides with {shown(other)} of engine {owner}; Vault nests no mounts",
                )
        paths[path] = name
        if engine.default_lease_ttl > engine.max_lease_ttl:
            yield (
                f"engines.{name}.defaultLeaseTtl",
                f"{format_duration(engine.default_lease_ttl)} is over maxLeaseTtl "
                f"({format_duration(engine.max_lease_ttl)}); lower it, or raise maxLeaseTtl",
            )
        if engine.rotation == "vault" and engine.vault_user.key_generation != 1:
            yield (
                f"engines.{name}.vaultUser.keyGeneration",
                "goes with rotation: stack, and this engine has rotation: vault, where Vault makes every key after "
                "the first; remove it, or change the rotation",
            )
        if engine.rotation == "vault" and engine.vault_user.key_made:
            yield (
                f"engines.{name}.vaultUser.keyMade",
                "goes with rotation stack, and here Vault makes the key; remove it, or change rotation",
            )
        yield from _own_name_faults(settings, name)
    for name, static_role in settings.static_roles.items():
        yield from _engine_faults(settings, f"staticRoles.{name}", static_role.engine)
    yield from static_role_faults(
        settings.static_roles, {name: settings.vault_user_name(name) for name in settings.engines}
    )
    for name, role in settings.roles.items():
        engine_faults = list(_engine_faults(settings, f"roles.{name}", role.engine))
        yield from engine_faults or _role_faults(settings, name)
    yield from access_faults(
        settings.access, settings.auth_methods, settings.holders, settings.roles, settings.static_roles
    )


def _engine_faults(settings: Settings, place: str, engine: str | None) -> Iterator[tuple[str, str]]:
    if engine is not None and engine not in settings.engines:
        yield f"{place}.engine", f"{shown(engine)} is not an engine{did_you_mean(engine, settings.engines)}"
    elif engine is None and len(settings.engines) > 1:
        yield f"{place}.engine", f"is missing; name one of: {', '.join(settings.engines)}"


def _own_name_faults(settings: Settings, engine: str) -> Iterator[tuple[str, str]]:
    """Vault must not be able to edit itself: its own user stands outside every pattern that it manages."""
    own = f"{settings.engines[engine].vault_user.path}{settings.vault_user_name(engine)}"
    for name, role in settings.roles.items():
        owner = settings.engines.get(role.engine or next(iter(settings.engines)))
        if owner is not None and isinstance(role, IamUserRole):
            pattern = f"{role.user_path}{username_prefix(owner.username_template)}*"
            if fnmatchcase(own, pattern):
                yield (
                    f"engines.{engine}.vaultUser",
                    f"the IAM user {shown(own)} matches {shown(pattern)}, the users that Vault makes for role {name}, "
                    "so Vault could edit itself; give it another name or path",
                )


def _role_faults(settings: Settings, name: str) -> Iterator[tuple[str, str]]:
    role, engine = settings.roles[name], settings.engines[settings.engine_of(name)]
    place = f"roles.{name}"
    if isinstance(role, IamUserRole):
        yield from trace_tag_faults(place, role)
    if isinstance(role, IamUserRole | FederationTokenRole) and not (role.policy or role.policy_arns or role.iam_groups):
        yield place, f"a role of credentialType {role.credential_type} needs policy, policyArns or groups"
    if not isinstance(role, AssumedRole | FederationTokenRole):
        return
    longest = min(engine.max_lease_ttl, role.longest_session)
    if engine.max_lease_ttl < SHORTEST_SESSION:
        yield (
            place,
            f"AWS makes sessions of at least {format_duration(SHORTEST_SESSION)} and maxLeaseTtl of its engine is "
            f"{format_duration(engine.max_lease_ttl)}; raise that, or move the role to another engine",
        )
        return
    for field, ttl in (("defaultStsTtl", role.default_sts_ttl), ("maxStsTtl", role.max_sts_ttl)):
        if ttl is not None and ttl > longest:
            whose = (
                "the engine's maxLeaseTtl"
                if longest == engine.max_lease_ttl
                else f"the longest that AWS makes for {role.credential_type}"
            )
            yield (
                f"{place}.{field}",
                f"{format_duration(ttl)} is over {format_duration(longest)}, {whose}; lower it",
            )
    if role.default_sts_ttl and role.max_sts_ttl and role.default_sts_ttl > role.max_sts_ttl:
        yield (
            f"{place}.defaultStsTtl",
            f"{format_duration(role.default_sts_ttl)} is over maxStsTtl ({format_duration(role.max_sts_ttl)})",
        )


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
