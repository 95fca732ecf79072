"""The rules of access that take more than one binding, role or auth method."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from pydantic.alias_generators import to_camel

from settings.access import Binding, Holder, policy_name
from settings.auth_methods import AuthMethod
from settings.nearest import did_you_mean
from settings.plain import shown

_TYPES = {"app_role": "approle", "jwt": "jwt", "kubernetes": "kubernetes"}
_RESERVED = {"root", "default", "response-wrapping", "control-group"}
"""Policies that Vault keeps to itself."""


def access_faults(
    bindings: Mapping[str, Binding],
    methods: Mapping[str, AuthMethod],
    holders: Sequence[Holder],
    roles: Collection[str],
    static_roles: Collection[str],
) -> Iterator[tuple[str, str]]:
    """What breaks them, as (field, message).

    Args:
        bindings: The bindings by name.
        methods: The auth methods that the stack makes, by path.
        holders: Whose policies the stack makes.
        roles: The names of the roles.
        static_roles: The names of the static roles.
    """
    yield from _policy_name_faults(holders)
    yield from _nesting_faults(methods)
    for name in static_roles:
        if name in roles:
            yield (
                f"staticRoles.{name}",
                "is the name of a role too; rename one of them, so that access can tell them apart",
            )
    engines = {holder.place.split(".")[1] for holder in holders if holder.place.startswith("engines.")}
    aliases: dict[tuple[str | None, str], str] = {}
    for name, binding in bindings.items():
        yield from _unknown_names(f"access.{name}.roles", "a role", binding.roles, {*roles, *static_roles})
        yield from _unknown_names(f"access.{name}.operatorOf", "an engine", binding.operator_of, engines)
        method, wanted = methods.get(binding.mount or ""), _TYPES.get(binding.method)
        if method is not None and wanted is not None and method.type != wanted:
            yield (
                f"access.{name}.{to_camel(binding.method)}.mount",
                f"{shown(binding.mount)} is of type {method.type} in authMethods; name one of type {wanted}",
            )
        if binding.group is not None and binding.group.alias is not None:
            owner = aliases.setdefault((binding.group.mount, binding.group.alias), name)
            if owner != name:
                yield (
                    f"access.{name}.group.alias",
                    f"{shown(binding.group.alias)} is that of access.{owner} too, and in Vault it belongs to one "
                    "group; name all of its roles there",
                )


def _unknown_names(field: str, kind: str, names: list[str], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    known = sorted(known)
    for place, name in enumerate(names):
        if name not in known:
            yield f"{field}[{place}]", f"{shown(name)} is not {kind}{did_you_mean(name, known)}"


def _nesting_faults(methods: Mapping[str, AuthMethod]) -> Iterator[tuple[str, str]]:
    for path in methods:
        for other in map(str, PurePosixPath(path).parents):
            if other in methods:
                yield (
                    f"authMethods.{path}",
                    f"lies inside {shown(other)}; Vault nests no mounts, so give it another path",
                )


def _policy_name_faults(holders: Sequence[Holder]) -> Iterator[tuple[str, str]]:
    owners = dict.fromkeys(sorted(_RESERVED), "Vault itself")
    for holder in holders:
        name, owner = policy_name(holder.mount, holder.name), f"{holder.name} of {holder.mount} ({holder.place})"
        if owners.setdefault(name, owner) != owner:
            yield (
                holder.place,
                f"its Vault policy would be {shown(name)}, which is that of {owners[name]}; rename one of them",
            )
