"""Dynamic AWS credentials from Vault: Vault's IAM users, the secrets engines that hold their keys, the roles."""

import pulumi

from components.account import caller_account
from components.role import Role
from components.secrets_engine import SecretsEngine
from components.vault_user import VaultUser
from documents.stack import read_stack
from settings.faults import FaultsError
from settings.load import decode_config

try:
    documents = read_stack(decode_config(pulumi.runtime.config.CONFIG.get()), pulumi.get_stack())
except FaultsError as faults:
    raise pulumi.RunError(f"nothing was changed; mend these first:\n{faults}") from None

settings = documents.settings
place = caller_account()
role_documents = documents.role_documents(**place)
users, roles = {}, {}

for engine_name, engine in settings.engines.items():
    region = engine.region or settings.region
    allowed = documents.vault_user(engine_name, **place)
    user = users[engine_name] = VaultUser(
        engine_name,
        {
            "user_name": settings.vault_user_name(engine_name),
            "user_path": engine.vault_user.path,
            "key_generation": engine.vault_user.key_generation,
            "policies": allowed.documents,
            "managed_policy_arns": list(allowed.managed_arns),
            "region": region,
            "sts_endpoint": engine.sts_endpoint,
        },
    )
    mount = SecretsEngine(
        engine_name,
        {
            "path": settings.mount_path(engine_name),
            "description": engine.description,
            "region": region,
            "access_key": user.access_key,
            "secret_key": user.secret_key,
            "default_lease_ttl": engine.default_lease_ttl,
            "max_lease_ttl": engine.max_lease_ttl,
            "iam_endpoint": engine.iam_endpoint,
            "sts_endpoint": engine.sts_endpoint,
            "username_template": engine.username_template,
            "max_retries": engine.max_retries,
        },
        pulumi.ResourceOptions(depends_on=[user]),
    )
    for role_name, role in settings.roles_of(engine_name).items():
        roles[role_name] = Role(
            role_name,
            {
                "mount": mount.path,
                "role_name": role_name,
                "policy_document": role_documents.get(role_name),
                **role.vault_fields(),
            },
            pulumi.ResourceOptions(parent=mount),
        )

pulumi.export("vaultUsers", {name: user.user_arn for name, user in users.items()})
pulumi.export("mounts", {name: settings.mount_path(name) for name in settings.engines})
pulumi.export(
    "roles",
    {
        name: {"credentialType": settings.roles[name].credential_type, "read": role.creds_path}
        for name, role in roles.items()
    },
)
