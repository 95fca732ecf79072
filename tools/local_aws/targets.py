"""What a call must be allowed: its actions, the ARNs they work on and the condition keys of the request.

The rules are those of the Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/). An action whose ARN is not worked out here
has the resource `*`, which only a statement about `*` allows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from documents.evaluation import Document
from tools.local_aws.environment import ACCOUNT, PARTITION
from tools.local_aws.identities import (
    boundary_arn,
    find_role,
    find_role_by_arn,
    find_user,
    iam,
    parsed,
    tags_of,
)

Param = Callable[[str], Any]
"""Gives the value of a parameter of the call, or None."""


@dataclass(frozen=True)
class Need:
    """One thing that the caller's policies must allow.

    Attributes:
        action: The action with its service's prefix.
        resource: The ARN that it works on, or `*`.
        context: The condition keys of this need.
        resource_policy: The policy of the resource itself, such as a role's trust policy.
        only_if_trusted: Whether that policy must allow it too, as a role's must.
    """

    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    resource_policy: Document | None = None
    only_if_trusted: bool = False


OWN_USER = frozenset(
    (
        "ChangePassword",
        "CreateAccessKey",
        "CreateLoginProfile",
        "DeactivateMFADevice",
        "DeleteAccessKey",
        "DeleteLoginProfile",
        "DeleteSigningCertificate",
        "GetLoginProfile",
        "GetUser",
        "ListAccessKeys",
        "ListMFADevices",
        "ListSSHPublicKeys",
        "ListSigningCertificates",
        "UpdateAccessKey",
        "UpdateSigningCertificate",
        "UploadSigningCertificate",
    )
)
"""IAM's actions that are about the caller where they name no user."""

TAGGED_BY = {
    "CreateUser": "TagUser",
    "CreateRole": "TagRole",
    "CreatePolicy": "TagPolicy",
    "CreateInstanceProfile": "TagInstanceProfile",
    "CreateVirtualMFADevice": "TagMFADevice",
    "CreateOpenIDConnectProvider": "TagOpenIDConnectProvider",
    "CreateSAMLProvider": "TagSAMLProvider",
    "UploadServerCertificate": "TagServerCertificate",
}
"""The permission that each of these needs as well if it sets tags."""

BOUNDARY_OF_REQUEST = {
    f"{verb}{noun}{end}" for noun in ("User", "Role") for verb, end in (("Create", ""), ("Put", "PermissionsBoundary"))
}
BOUNDARY_OF_TARGET = {
    pattern.format(noun)
    for noun in ("User", "Role")
    for pattern in ("Attach{}Policy", "Detach{}Policy", "Put{}Policy", "Delete{}Policy", "Delete{}PermissionsBoundary")
} | {"DeleteRole", "GetRole", "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription"}
_MADE_AT_PATH = {
    "CreateUser": ("user", "UserName"),
    "CreateRole": ("role", "RoleName"),
    "CreateGroup": ("group", "GroupName"),
    "CreatePolicy": ("policy", "PolicyName"),
    "CreateInstanceProfile": ("instance-profile", "InstanceProfileName"),
    "CreateVirtualMFADevice": ("mfa", "VirtualMFADeviceName"),
    "UploadServerCertificate": ("server-certificate", "ServerCertificateName"),
}
_KEY_ID_LENGTH = 36
_NAMED_BY_ARN = ("PolicyArn", "SerialNumber", "SAMLProviderArn", "OpenIDConnectProviderArn")


def iam_needs(action: str, param: Param) -> Iterator[Need]:
    """What a call of IAM must be allowed."""
    resource = iam_arn(action, param)
    context = {**_tag_context(param), **_iam_context(action, param)}
    yield Need(f"iam:{action}", resource, context)
    if action in TAGGED_BY and param("Tags"):
        yield Need(f"iam:{TAGGED_BY[action]}", resource, context)
    if action == "AddRoleToInstanceProfile":
        yield Need("iam:PassRole", _stored("role", param("RoleName")), {"iam:PassedToService": "ec2.amazonaws.com"})
    if action in ("UpdateUser", "UpdateGroup"):
        kind = action.removeprefix("Update").lower()
        old = param("UserName") or param("GroupName")
        new = param("NewUserName") or param("NewGroupName") or old
        path = param("NewPath") or _path(kind, old)
        yield Need(f"iam:{action}", _arn(kind, path, new), context)


def iam_arn(action: str, param: Param) -> str:
    """The ARN that a call of IAM works on: with the path of the request where it makes something, else the stored."""
    if action in _MADE_AT_PATH:
        kind, name = _MADE_AT_PATH[action]
        return _arn(kind, param("Path") or "/", param(name))
    # A call that names a group works on the group, also where it names a user; likewise an instance profile's.
    for kind, name in (("group", "GroupName"), ("instance-profile", "InstanceProfileName"), ("role", "RoleName")):
        if param(name):
            return _stored(kind, param(name))
    if param("UserName"):
        return _stored("user", param("UserName"))
    if action == "GetAccessKeyLastUsed":
        key = iam().access_keys.get(param("AccessKeyId"))
        return _stored("user", key.user_name) if key and key.user_name else "*"
    if param("ServerCertificateName"):
        return _stored("server-certificate", param("ServerCertificateName"))
    if action == "CreateSAMLProvider":
        return f"arn:{PARTITION}:iam::{ACCOUNT}:saml-provider/{param('Name')}"
    if action == "CreateOpenIDConnectProvider":
        return f"arn:{PARTITION}:iam::{ACCOUNT}:oidc-provider/{str(param('Url')).partition('://')[2]}"
    return next((param(name) for name in _NAMED_BY_ARN if param(name)), "*")


def sts_needs(action: str, param: Param, caller_arn: str) -> Iterator[Need]:
    """What a call of STS must be allowed."""
    context: dict[str, str | Sequence[str]] = dict(_tag_context(param))
    for key, name in (
        ("sts:ExternalId", "ExternalId"),
        ("sts:RoleSessionName", "RoleSessionName"),
        ("sts:SourceIdentity", "SourceIdentity"),
        ("sts:TransitiveTagKeys", "TransitiveTagKeys"),
    ):
        if param(name):
            context[key] = param(name)
    if action == "AssumeRole":
        yield from _assume_role_needs(param, context)
    elif action == "GetFederationToken":
        yield Need("sts:GetFederationToken", f"arn:{PARTITION}:sts::{ACCOUNT}:federated-user/{param('Name')}", context)
        if param("Tags"):
            yield Need("sts:TagSession", caller_arn, context)
    else:
        yield Need(f"sts:{action}", "*", context)


def _assume_role_needs(param: Param, context: dict[str, str | Sequence[str]]) -> Iterator[Need]:
    arn = str(param("RoleArn"))
    role = find_role_by_arn(arn)
    trust = parsed(role.assume_role_policy_document) if role else {"Statement": []}
    context = {**context, **(_resource_tags(role) if role else {})}
    for action, wanted in (
        ("AssumeRole", True),
        ("TagSession", param("Tags")),
        ("SetSourceIdentity", param("SourceIdentity")),
    ):
        if wanted:
            yield Need(f"sts:{action}", arn, context, resource_policy=trust, only_if_trusted=True)


def other_needs(service: str, action: str, param: Param, region: str) -> Iterator[Need]:
    """What a call of another service must be allowed; its ARN is worked out for topics, queues, tables and rules."""
    context = _tag_context(param)
    for resource in _other_arns(service, param, region):
        yield Need(f"{service}:{action}", resource, context)


def _other_arns(service: str, param: Param, region: str) -> list[str]:
    here = f"arn:{PARTITION}:{service}:{region}:{ACCOUNT}:"
    if given := param("ResourceArn") or param("TopicArn") or param("ResourceARN"):
        return [given]
    if service == "kms" and (key := param("KeyId") or param("TargetKeyId") or _sealed_by(param("CiphertextBlob"))):
        return [_kms_key(key, region)]
    if service == "sns" and param("Name"):
        return [here + param("Name")]
    if service == "sqs" and (queue := param("QueueName") or param("QueueUrl")):
        return [here + queue.rsplit("/", 1)[-1]]
    if service == "dynamodb":
        tables = [param("TableName")] if param("TableName") else [*(param("RequestItems") or {})]
        tables += [next(iter(item.values()))["TableName"] for item in param("TransactItems") or []]
        return [table if table.startswith("arn:") else f"{here}table/{table}" for table in tables] or ["*"]
    if service == "events" and (rule := param("Rule") or param("Name")):
        bus = (param("EventBusName") or "default").rsplit("/", 1)[-1]
        return [f"{here}rule/{rule}" if bus == "default" else f"{here}rule/{bus}/{rule}"]
    return ["*"]


def _sealed_by(ciphertext: bytes | None) -> str:
    """The id of the key that a ciphertext names, with which moto begins it."""
    return (ciphertext or b"")[:_KEY_ID_LENGTH].decode("ascii", "replace")


def _kms_key(name: str, region: str) -> str:
    """The ARN of a key, by whose ARN calls are authorised that name it by id or alias."""
    # Its cryptography takes time to load, and most stacks need no KMS.
    from moto.kms.models import kms_backends  # noqa: PLC0415

    keys = kms_backends[ACCOUNT][region]
    name = name.rpartition(":")[2].removeprefix("key/")
    key = keys.keys.get((keys.get_key_id_from_alias(name) or "") if name.startswith("alias/") else name)
    return key.arn if key else f"arn:{PARTITION}:kms:{region}:{ACCOUNT}:key/{name}"


def _iam_context(action: str, param: Param) -> dict[str, str]:
    context: dict[str, str] = {}
    if param("PolicyArn") and action.startswith(("Attach", "Detach")):
        context["iam:PolicyARN"] = param("PolicyArn")
    name, find = ("UserName", find_user) if param("UserName") else ("RoleName", find_role)
    holder = find(param(name)) if param(name) and not param("GroupName") else None
    if holder:
        context |= _resource_tags(holder)
    boundary = param("PermissionsBoundary") if action in BOUNDARY_OF_REQUEST else None
    if action in BOUNDARY_OF_TARGET and holder:
        boundary = boundary_arn(holder)
    if boundary:
        context["iam:PermissionsBoundary"] = boundary
    return context


def _tag_context(param: Param) -> dict[str, str | Sequence[str]]:
    tags = param("Tags") or []
    if not isinstance(tags, dict):
        tags = {tag["Key"]: tag.get("Value") or "" for tag in tags if isinstance(tag, dict) and "Key" in tag}
    context: dict[str, str | Sequence[str]] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if keys := list(tags) or param("TagKeys"):
        context["aws:TagKeys"] = keys
    return context


def _resource_tags(holder: Any) -> dict[str, str]:  # noqa: ANN401 - moto's User or Role
    return {f"{prefix}:ResourceTag/{key}": value for key, value in tags_of(holder).items() for prefix in ("aws", "iam")}


def _arn(kind: str, path: str, name: str) -> str:
    return f"arn:{PARTITION}:iam::{ACCOUNT}:{kind}{path}{name}"


def _stored(kind: str, name: str) -> str:
    return _arn(kind, _path(kind, name), name)


def _path(kind: str, name: str) -> str:
    entity: Any = None
    if kind == "role":
        entity = find_role(name)
    elif kind == "instance-profile":
        entity = next((profile for profile in list(iam().instance_profiles.values()) if profile.name == name), None)
    else:
        records: Any = {"user": iam().users, "group": iam().groups, "server-certificate": iam().certificates}[kind]
        entity = records.get(name)
    return getattr(entity, "path", None) or "/"
