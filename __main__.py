"""Dynamic AWS credentials from Vault: Vault's IAM users, the secrets engines that hold their keys, the roles."""

from typing import cast

import pulumi

from components.access import WAYS
from components.account import caller_account
from components.audit_device import AuditDevice, enabled_devices
from components.auth_method import AuthMethod, AuthMethodArgs
from components.role import Role, RoleArgs
from components.secrets_engine import SecretsEngine, SecretsEngineArgs
from components.seeded_engine import SeededEngine, holds_root
from components.vault_policies import VaultPolicies
from components.vault_user import VaultUser
from documents.stack import read_stack
from documents.vault_policies import engine_policies
from settings.audit import require_devices
from settings.faults import FaultsError
from settings.load import decode_config
from settings.usernames import DEFAULT_TEMPLATE

try:
    documents = read_stack(decode_config(pulumi.runtime.config.CONFIG.get()), pulumi.get_stack())
    if documents.settings.audit.relies_on_others:
        require_devices(documents.settings.audit, enabled_devices(), f"Pulumi.{pulumi.get_stack()}.yaml")
except FaultsError as faults:
    raise pulumi.RunError(f"nothing was changed; mend these first:\n{faults}") from None

for exempted in documents.exempted:
    pulumi.log.warn(str(exempted))

settings = documents.settings
place = caller_account()
devices = [
    AuditDevice(path, {"path": path, "type": kind.type, "options": kind.options(), "description": kind.description})
    for path, kind in settings.audit.devices.items()
    if kind.managed
]
role_documents = documents.role_documents(**place)
users, roles, policies, access = {}, {}, {}, {}

for engine_name, engine in settings.engines.items():
    path, region = settings.mount_path(engine_name), engine.region or settings.region
    digest, vault_rotates = engine.root_digest(settings.region), engine.rotation == "vault"
    seeded = vault_rotates and holds_root(path, engine.root_fields(settings.region))
    allowed = documents.vault_user(engine_name, **place)
    user = users[engine_name] = VaultUser(
        f"{engine_name}-{digest}" if vault_rotates else engine_name,
        {
            "user_name": settings.vault_user_name(engine_name),
            "user_path": engine.vault_user.path,
            "key_generation": None if seeded else engine.vault_user.key_generation,
            "keys_of_its_own": vault_rotates,
            "policies": allowed.documents,
            "managed_policy_arns": list(allowed.managed_arns),
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
        "username_template": engine.username_template or (DEFAULT_TEMPLATE if vault_rotates else None),
        "max_retries": engine.max_retries,
        "access_key": user.access_key,
        "secret_key": user.secret_key,
        "default_lease_ttl": engine.default_lease_ttl,
        "max_lease_ttl": engine.max_lease_ttl,
    }
    after_user = pulumi.ResourceOptions(depends_on=[user, *devices])
    mount: SecretsEngine | SeededEngine
    if vault_rotates:
        mount = SeededEngine(engine_name, {**held, "root_digest": digest}, after_user)
    else:
        mount = SecretsEngine(engine_name, held, after_user)
    for role_name, role in settings.roles_of(engine_name).items():
        declared = {"role_name": role_name, "policy_document": role_documents.get(role_name), **role.vault_fields()}
        arguments = cast("RoleArgs", {"mount": mount.path, **declared})
        roles[role_name] = Role(role_name, arguments, pulumi.ResourceOptions(parent=mount))
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

pulumi.export("vaultUsers", {name: user.user_arn for name, user in users.items()})
pulumi.export("mounts", {name: settings.mount_path(name) for name in settings.engines})
pulumi.export(
    "roles",
    {
        name: {"credentialType": settings.roles[name].credential_type, "read": role.creds_path}
        for name, role in roles.items()
    },
)
pulumi.export(
    "access",
    {
        name: {"by": given.login, "policies": settings.policies_of(settings.access[name])}
        for name, given in access.items()
    },
)
