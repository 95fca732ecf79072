"""Dynamic AWS credentials from Vault: Vault's IAM users, the secrets engines that hold their keys, the roles."""

import pulumi

from components.account import caller_account
from program.access import declare_access
from program.engine import declare_engine
from program.inputs import read_documents
from program.sdk import spare_debug_messages, spare_garbage_collection
from program.watch import declare_alarms, declare_audit_devices

spare_debug_messages()
spare_garbage_collection()
documents = read_documents()
settings = documents.settings
place = caller_account(documents.accounts)

devices = declare_audit_devices(settings)
engines = {name: declare_engine(documents, name, place, after=devices) for name in settings.engines}
access = declare_access(settings, after=[engine.policies for engine in engines.values()])
alarms = declare_alarms(documents, place)

pulumi.export("mounts", {name: settings.mount_path(name) for name in engines})
pulumi.export("vaultUsers", {name: engine.user.user_arn for name, engine in engines.items()})
pulumi.export(
    "roles",
    {
        name: {"credentialType": settings.roles[name].credential_type, "read": creds_path}
        for engine in engines.values()
        for name, creds_path in engine.roles.creds_paths.items()
    },
)
pulumi.export(
    "staticRoles",
    {name: {"read": role.creds_path} for engine in engines.values() for name, role in engine.static_roles.items()},
)
pulumi.export(
    "access",
    {name: {"by": by.login, "policies": settings.policies_of(settings.access[name])} for name, by in access.items()},
)
if alarms:
    pulumi.export("alarmTopics", {region: alarm.topic_arn for region, alarm in alarms.items()})
