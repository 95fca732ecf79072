"""The faults that pydantic finds, in the words of a stack's file: the field, the value, and what would be right."""

import re
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from settings.audit import DEVICE_TYPES
from settings.auth_methods import METHOD_TYPES
from settings.durations import format_duration
from settings.faults import Fault
from settings.model import Settings
from settings.nearest import did_you_mean
from settings.plain import shown
from settings.roles import ROLE_TYPES

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


def as_fault(details: ErrorDetails, own: Mapping[str, Any], where: str) -> Fault:
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
            return f"is missing; write {_described(details['loc'])}"
        case "union_tag_not_found" | "union_tag_invalid" if not isinstance(value, dict) or value.get(tag) is None:
            return f"has no {tag}; write one of: {', '.join(tags)}"
        case "union_tag_invalid":
            return f"{tag} {shown(context['tag'])} is not a {meaning}{did_you_mean(context['tag'], tags)}"
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{_what(value)} must be a mapping of settings"
        case "string_pattern_mismatch":
            return f"{shown(value)} must be 1 to 31 lower-case letters, digits and hyphens, and begin with a letter"
        case "string_type" | "int_type" | "list_type" | "bool_type":
            return f"{_what(value)} must be {_WANTED[kind]}"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", context["expected"])
            return f"{shown(value)} is not known here{did_you_mean(str(value), choices)}"
        case "greater_than_equal" | "less_than_equal" | "string_too_short" | "too_short" | "too_long":
            return _out_of_bounds(kind, value, context, of_session="Ttl" in str(steps[-1]))
        case _:
            return details["msg"]


def _what(value: object) -> str:
    return "is empty, and" if value is None else shown(value)


def _described(place: tuple[int | str, ...]) -> str:
    """What a setting is, in the words of its description."""
    described = {name: field.description or "" for name, field in _fields(_model_at(place[:-1]))}
    [first, *_] = described[str(place[-1])].split(". ")
    return f"{first[0].lower()}{first[1:]}".rstrip(".")


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
