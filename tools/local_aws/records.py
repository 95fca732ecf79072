"""IAM's own rules for its records that moto does not keep."""

import re
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import (
    DeleteConflictException,
    EntityAlreadyExists,
    LimitExceededException,
    NoSuchEntity,
    NotFoundException,
    ValidationError,
)
from moto.iam.models import IAMBackend, User
from moto.iam.responses import IamResponse

from tools.local_aws.identities import boundary_arn

_delete_user = IAMBackend.delete_user
_delete_group = IAMBackend.delete_group
_delete_policy = IAMBackend.delete_policy
_update_user = IAMBackend.update_user
_put_user_policy = IAMBackend.put_user_policy
_attach_user_policy = IAMBackend.attach_user_policy
_add_user_to_group = IAMBackend.add_user_to_group
_create_user = IamResponse.create_user

INLINE_CHARACTERS = 2_048
ATTACHED_POLICIES = 10
GROUPS = 10


def create_user(responder: Any) -> ActionResult:  # noqa: ANN401 - moto's response class
    """CreateUser, with its permissions boundary and a name that IAM would take (API_CreateUser.html)."""
    name, boundary = responder._get_param("UserName"), responder._get_param("PermissionsBoundary")
    if not re.fullmatch(r"[\w+=,.@-]{1,64}", name or "", re.ASCII):
        raise ValidationError(f"The user name {name!r} must have 1 to 64 characters of [\\w+=,.@-]")
    if boundary:
        _check_boundary(responder.backend, boundary)
    result = _create_user(responder)
    responder.backend.get_user(name).permissions_boundary_arn = boundary
    return result


def put_user_permissions_boundary(responder: Any) -> EmptyResult:  # noqa: ANN401 - moto's response class
    """PutUserPermissionsBoundary (API_PutUserPermissionsBoundary.html)."""
    user = responder.backend.get_user(responder._get_param("UserName"))
    boundary = responder._get_param("PermissionsBoundary")
    _check_boundary(responder.backend, boundary)
    user.permissions_boundary_arn = boundary
    return EmptyResult()


def delete_user_permissions_boundary(responder: Any) -> EmptyResult:  # noqa: ANN401 - moto's response class
    """DeleteUserPermissionsBoundary (API_DeleteUserPermissionsBoundary.html)."""
    user = responder.backend.get_user(responder._get_param("UserName"))
    user.permissions_boundary_arn = None
    return EmptyResult()


def permissions_boundary(user: User) -> dict[str, str] | None:
    """A user's boundary as GetUser shows it."""
    arn = boundary_arn(user)
    return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn} if arn else None


def delete_user(backend: IAMBackend, user_name: str) -> None:
    """DeleteUser: first all that is attached must go (API_DeleteUser.html)."""
    user = backend.get_user(user_name)
    attached = {
        "delete access keys": user.access_keys,
        "delete login profile": user.password,
        "remove users from group": [group for group in backend.groups.values() if user in group.users],
        "delete MFA devices": user.mfa_devices,
        "delete signing certificates": user.signing_certificates,
        "delete SSH public keys": user.ssh_public_keys,
    }
    for remedy, things in attached.items():
        if things:
            raise DeleteConflictException(f"Cannot delete entity, must {remedy} first.")
    _delete_user(backend, user_name)


def delete_group(backend: IAMBackend, group_name: str) -> None:
    """DeleteGroup: only an empty group without policies goes (API_DeleteGroup.html)."""
    group = backend.get_group(group_name)
    if group.users:
        raise DeleteConflictException("Cannot delete entity, must remove users from group first.")
    if group.policies or group.managed_policies:
        raise DeleteConflictException("Cannot delete entity, must detach all policies first.")
    _delete_group(backend, group_name)


def delete_policy(backend: IAMBackend, policy_arn: str) -> None:
    """DeletePolicy: only a policy that nobody has, also not as a boundary, goes (API_DeletePolicy.html)."""
    policy = backend.get_policy(policy_arn)
    holders = [*backend.users.values(), *backend.roles.values()]
    if policy.attachment_count or any(boundary_arn(holder) == policy_arn for holder in holders):
        raise DeleteConflictException("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise DeleteConflictException("This policy has more than one version. Delete the other versions first.")
    _delete_policy(backend, policy_arn)


def update_user(
    backend: IAMBackend, user_name: str, new_path: str | None = None, new_user_name: str | None = None
) -> None:
    """UpdateUser: keys and tags stay with a user that gets another name or path."""
    user = backend.users.get(user_name)
    if user and new_user_name and new_user_name != user_name and new_user_name in backend.users:
        raise EntityAlreadyExists(f"User with name {new_user_name} already exists.")
    tags = list(user.tags or []) if user else []
    if user:
        backend.tagger.delete_all_tags_for_resource(user.arn)
    _update_user(backend, user_name, new_path, new_user_name)
    if user:
        backend.tagger.tag_resource(user.arn, tags)
        for key in user.access_keys:
            key.user_name = user.name


def put_user_policy(backend: IAMBackend, user_name: str, policy_name: str, policy_json: str) -> None:
    """PutUserPolicy: white space apart, a user's inline policies have 2,048 characters in all (IAM quotas)."""
    others = [text for name, text in backend.get_user(user_name).policies.items() if name != policy_name]
    if sum(len("".join(text.split())) for text in [*others, policy_json]) > INLINE_CHARACTERS:
        raise LimitExceededException(f"Maximum policy size of {INLINE_CHARACTERS} bytes exceeded for user {user_name}")
    _put_user_policy(backend, user_name, policy_name, policy_json)


def attach_user_policy(backend: IAMBackend, policy_arn: str, user_name: str) -> None:
    """AttachUserPolicy: at most ten (IAM quotas)."""
    attached = backend.get_user(user_name).managed_policies
    if policy_arn not in attached and len(attached) >= ATTACHED_POLICIES:
        raise LimitExceededException(f"Cannot exceed quota for PoliciesPerUser: {ATTACHED_POLICIES}")
    if policy_arn not in attached:
        _attach_user_policy(backend, policy_arn, user_name)


def add_user_to_group(backend: IAMBackend, group_name: str, user_name: str) -> None:
    """AddUserToGroup: at most ten groups (IAM quotas)."""
    user = backend.get_user(user_name)
    groups = [group.name for group in backend.groups.values() if user in group.users]
    if group_name not in groups and len(groups) >= GROUPS:
        raise LimitExceededException(f"Cannot exceed quota for GroupsPerUser: {GROUPS}")
    _add_user_to_group(backend, group_name, user_name)


def get_access_key_last_used(backend: IAMBackend, access_key_id: str) -> dict[str, Any]:
    """Whose key it is and when it was used, from the index of keys."""
    key = backend.access_keys.get(access_key_id)
    if key is None or key.user_name is None:
        raise NotFoundException(f"The Access Key with id {access_key_id} cannot be found")
    return {"user_name": key.user_name, "last_used": key.last_used}


def get_user_from_access_key_id(backend: IAMBackend, access_key_id: str) -> User | None:
    """Whose key it is, from the index of keys."""
    key = backend.access_keys.get(access_key_id)
    return backend.users.get(key.user_name) if key and key.user_name else None


def _check_boundary(backend: IAMBackend, arn: str) -> None:
    if arn not in backend.managed_policies:
        raise NoSuchEntity(f"Scope ARN: {arn} does not exist or is not attachable.")
