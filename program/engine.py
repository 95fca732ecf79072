"""One engine of the settings: the mount, the IAM user whose key it holds, and all that hangs on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pulumi

from components.permissions_boundary import PermissionsBoundary
from components.roles import RoleArgs, Roles
from components.secrets_engine import SecretsEngine, SecretsEngineArgs
from components.seeded_engine import SeededEngine, holds_root
from components.static_role import StaticRole
from components.vault_policies import VaultPolicies
from components.vault_user import VaultUser
from documents.stack import StackDocuments
from documents.vault_policies import engine_policies
from documents.vault_user import static_policy
from program.foundation import whole


@dataclass(frozen=True)
class DeclaredEngine:
    """The components of one engine."""

    user: VaultUser
    mount: SecretsEngine | SeededEngine
    roles: Roles
    static_roles: Mapping[str, StaticRole]
    policies: VaultPolicies


def declare_engine(
    documents: StackDocuments, name: str, place: Mapping[str, str], after: Sequence[pulumi.Resource]
) -> DeclaredEngine:
    """Declares an engine with its roles and their Vault policies; without them where only the foundation is declared.

    Args:
        documents: The stack's settings and documents.
        name: The engine's name in the settings.
        place: The `account` and `partition` in which the stack stands.
        after: What stands before the engine is mounted, such as the audit devices.
    """
    user = _user(documents, name, place)
    boundary = documents.boundary(name, **place)
    bounds: list[pulumi.Resource] = []
    if boundary and boundary.name and boundary.document:
        path = documents.settings.engines[name].vault_user.path
        bounds.append(
            PermissionsBoundary(name, {"policy_name": boundary.name, "path": path, "document": boundary.document})
        )
    mount = _mount(documents, name, user, pulumi.ResourceOptions(depends_on=[user, *bounds, *after]))
    within = pulumi.ResourceOptions(parent=mount)
    policies = engine_policies(documents.settings, name) if whole() else {}
    roles = _roles(documents, name, place) if whole() else {}
    return DeclaredEngine(
        user=user,
        mount=mount,
        roles=Roles(name, {"mount": mount.path, "roles": roles}, within),
        static_roles=_static_roles(documents, name, mount, user),
        policies=VaultPolicies(name, {"policies": policies}, within),
    )


def _user(documents: StackDocuments, name: str, place: Mapping[str, str]) -> VaultUser:
    settings = documents.settings
    engine, digest = settings.engines[name], settings.engines[name].root_digest(settings.region)
    allowed = documents.vault_user(name, **place)
    vault_rotates = engine.rotation == "vault"
    seeded = vault_rotates and holds_root(settings.mount_path(name), engine.root_fields(settings.region))
    return VaultUser(
        f"{name}-{digest}" if vault_rotates else name,
        {
            "user_name": settings.vault_user_name(name),
            "user_path": engine.vault_user.path,
            "key_generation": None if seeded else engine.key_generation,
            # Where Vault rotates, another root configuration takes another user, and the old one goes.
            "protect": settings.protect and not vault_rotates,
            "keys_of_its_own": vault_rotates,
            "policies": allowed.documents,
            "managed_policy_arns": list(allowed.managed_arns),
            "tags": engine.vault_user.key_tags,
            "region": engine.region or settings.region,
            "sts_endpoint": engine.sts_endpoint,
        },
    )


def _mount(
    documents: StackDocuments, name: str, user: VaultUser, opts: pulumi.ResourceOptions
) -> SecretsEngine | SeededEngine:
    settings = documents.settings
    engine = settings.engines[name]
    held: SecretsEngineArgs = {
        "path": settings.mount_path(name),
        "description": engine.description,
        "region": engine.region or settings.region,
        "iam_endpoint": engine.iam_endpoint,
        "sts_endpoint": engine.sts_endpoint,
        "username_template": engine.username_template,
        "max_retries": engine.max_retries,
        "access_key": user.access_key,
        "secret_key": user.secret_key,
        "default_lease_ttl": engine.default_lease_ttl,
        "max_lease_ttl": engine.max_lease_ttl,
        "protect": settings.protect,
    }
    if engine.rotation == "vault":
        return SeededEngine(name, {**held, "root_digest": engine.root_digest(settings.region)}, opts)
    return SecretsEngine(name, held, opts)


def _roles(documents: StackDocuments, engine: str, place: Mapping[str, str]) -> dict[str, RoleArgs]:
    policies, boundaries = documents.role_documents(**place), documents.boundary_arns(engine, **place)
    roles = {}
    for name, role in documents.settings.roles_of(engine).items():
        made = {"policy_document": policies.get(name), "permissions_boundary_arn": boundaries.get(name)}
        # Which fields a role has is its credential type's matter; the settings have checked them.
        roles[name] = cast("RoleArgs", made | role.vault_fields())
    return roles


def _static_roles(
    documents: StackDocuments, engine: str, mount: SecretsEngine | SeededEngine, user: VaultUser
) -> dict[str, StaticRole]:
    return {
        name: StaticRole(
            name,
            {
                "mount": mount.path,
                "role_name": name,
                "user_name": role.user_name,
                "rotation_period": role.rotation_period,
            },
            pulumi.ResourceOptions(parent=mount, depends_on=[user.policies[static_policy(name)]]),
        )
        for name, role in documents.settings.static_roles_of(engine).items()
    }
