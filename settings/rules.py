"""The rules of the settings that take more than one field."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from glob import escape

from settings.access_rules import access_faults
from settings.alarm import alarm_faults
from settings.audit import audit_faults
from settings.durations import format_duration
from settings.model import Settings
from settings.nearest import did_you_mean
from settings.plain import shown
from settings.roles import SHORTEST_SESSION, AssumedRole, FederationTokenRole, IamUserRole
from settings.static_roles import static_role_faults
from settings.trace import trace_tag_faults
from settings.usernames import username_prefix


def rule_faults(settings: Settings) -> Iterator[tuple[str, str]]:
    """What breaks them, as (field, message)."""
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
            pattern = f"{escape(role.user_path)}{username_prefix(owner.username_template)}*"
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
