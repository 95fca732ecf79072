"""Dynamic AWS credentials from Vault: Vault's IAM users, the secrets engines that hold their keys, the roles."""

from typing import cast

import pulumi

from components.access import WAYS
from components.account import caller_account
from components.alarm import Alarm
from components.audit_device import AuditDevice, enabled_devices
from components.auth_method import AuthMethod, AuthMethodArgs
from components.permissions_boundary import PermissionsBoundary, PermissionsBoundaryArgs
from components.role import Role, RoleArgs
from components.secrets_engine import SecretsEngine, SecretsEngineArgs
from components.seeded_engine import SeededEngine, holds_root
from components.static_role import StaticRole
from components.vault_policies import VaultPolicies
from components.vault_user import VaultUser
from documents.alarm import rule_name
from documents.stack import read_stack
from documents.vault_policies import engine_policies
from documents.vault_user import static_policy
from settings.audit import require_devices
from settings.faults import FaultsError
from settings.load import decode_config

try:
    documents = read_stack(decode_config(pulumi.runtime.config.CONFIG.get()), pulumi.get_stack())
    if documents.settings.audit.relies_on_others:
        require_devices(documents.settings.audit, enabled_devices(), f"Pulumi.{pulumi.get_stack()}.yaml")
except FaultsError as faults:
    raise pulumi.RunError(f"nothing was changed; mend these first:\n{faults}") from None

for warning in documents.warnings:
    pulumi.log.warn(warning)

settings = documents.settings
place = caller_account()
devices = [
    AuditDevice(path, {"path": path, "type": kind.type, "options": kind.options(), "description": kind.description})
    for path, kind in settings.audit.devices.items()
    if kind.managed
]
role_documents = documents.role_documents(**place)
users, roles, static_roles, policies, access = {}, {}, {}, {}, {}

for engine_name, engine in settings.engines.items():
    path, region = settings.mount_path(engine_name), engine.region or settings.region
    digest, vault_rotates = engine.root_digest(settings.region), engine.rotation == "vault"
    seeded = vault_rotates and holds_root(path, engine.root_fields(settings.region))
    allowed = documents.vault_user(engine_name, **place)
    boundary, boundary_arns = documents.boundary(engine_name, **place), documents.boundary_arns(engine_name, **place)
    user = users[engine_name] = VaultUser(
        f"{engine_name}-{digest}" if vault_rotates else engine_name,
        {
            "user_name": settings.vault_user_name(engine_name),
            "user_path": engine.vault_user.path,
            "key_generation": None if seeded else engine.vault_user.key_generation,
            # Where Vault rotates, another root configuration takes another user, and the old one goes.
            "protect": settings.protect and not vault_rotates,
            "keys_of_its_own": vault_rotates,
            "policies": allowed.documents,
            "managed_policy_arns": list(allowed.managed_arns),
            "tags": engine.vault_user.key_tags,
            "region": region,
            "sts_endpoint": engine.sts_endpoint,
        },
    )
    held: SecretsEngineArgs = {
        "path": path,
        "description": engine.description,
        "region": region,
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
    bound: list[pulumi.Resource] = []
    if boundary and boundary.name and boundary.document:
        bounds: PermissionsBoundaryArgs = {
            "policy_name": boundary.name,
            "path": engine.vault_user.path,
            "document": boundary.document,
        }
        bound = [PermissionsBoundary(engine_name, bounds)]
    after_user = pulumi.ResourceOptions(depends_on=[user, *bound, *devices])
    mount: SecretsEngine | SeededEngine
    if vault_rotates:
        mount = SeededEngine(engine_name, {**held, "root_digest": digest}, after_user)
    else:
        mount = SecretsEngine(engine_name, held, after_user)
    for role_name, role in settings.roles_of(engine_name).items():
        declared = {"role_name": role_name, "policy_document": role_documents.get(role_name), **role.vault_fields()}
        declared |= {"permissions_boundary_arn": boundary_arns.get(role_name)}
        arguments = cast("RoleArgs", {"mount": mount.path, **declared})
        roles[role_name] = Role(role_name, arguments, pulumi.ResourceOptions(parent=mount))
    for static_name, static_role in settings.static_roles_of(engine_name).items():
        static_roles[static_name] = StaticRole(
            static_name,
            {
                "mount": mount.path,
                "role_name": static_name,
                "user_name": static_role.user_name,
                "rotation_period": static_role.rotation_period,
            },
            pulumi.ResourceOptions(parent=mount, depends_on=[user.policies[static_policy(static_name)]]),
        )
    granted = engine_policies(settings, engine_name)
    policies[engine_name] = VaultPolicies(engine_name, {"policies": granted}, pulumi.ResourceOptions(parent=mount))

methods = {
    path: AuthMethod(path, cast("AuthMethodArgs", {"path": path, **method.vault_fields()}))
    for path, method in settings.auth_methods.items()
}
for name, binding in settings.access.items():
    method_path = methods[binding.mount].path if binding.mount in methods else binding.mount
    who = {"mount": method_path, "policies": settings.policies_of(binding), **binding.vault_fields()}
    access[name] = WAYS[binding.method](name, who, pulumi.ResourceOptions(depends_on=list(policies.values())))

alarms = {}
if topic := settings.alarm.topic_name:
    watched = {
        rule_name(topic, engine_name, purpose): pattern
        for engine_name in settings.engines
        for purpose, pattern in documents.alarm_patterns(engine_name, **place).items()
    }
    alarms = {
        region: Alarm(
            region,
            {
                "topic_name": topic,
                "patterns": watched,
                # The provider's own region goes without saying.
                "region": None if region == settings.region else region,
                "read_only_calls": settings.alarm.read_only_calls,
            },
        )
        for region in settings.alarm.rule_regions(settings.region)
    }

pulumi.export("vaultUsers", {name: user.user_arn for name, user in users.items()})
pulumi.export("mounts", {name: settings.mount_path(name) for name in settings.engines})
pulumi.export(
    "roles",
    {
        name: {"credentialType": settings.roles[name].credential_type, "read": role.creds_path}
        for name, role in roles.items()
    },
)
pulumi.export("staticRoles", {name: {"read": role.creds_path} for name, role in static_roles.items()})
pulumi.export(
    "access",
    {
        name: {"by": given.login, "policies": settings.policies_of(settings.access[name])}
        for name, given in access.items()
    },
)
if alarms:
    pulumi.export("alarmTopics", {region: alarm.topic_arn for region, alarm in alarms.items()})
