"""Ends what an update began that was killed: a thing may have been made, and the state does not know of it.

Pulumi writes into the state what it is about to make, and whether it was made only once it knows. Killed in between, it
leaves a pending operation (https://www.pulumi.com/docs/support/troubleshooting/common-issues/interrupted-updates/).
Made again, a user, a policy or a mount would collide with itself; taken into the state, it does not. A key cannot be
taken into it, since AWS tells its secret once: it is deleted, and the next update makes another.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import hvac
from botocore.exceptions import ClientError

from tools.errors import ToolError
from tools.pulumi_stack import PulumiStack

KEY: Final = "aws:iam/accessKey:AccessKey"
_MOUNTS: Final = {
    "vault:aws/secretBackend:SecretBackend": "sys/mounts",
    "vault:index/mount:Mount": "sys/mounts",
    "vault:index/authBackend:AuthBackend": "sys/mounts/auth",
    "vault:jwt/authBackend:AuthBackend": "sys/mounts/auth",
}
"""What Vault makes once at a path, and where it tells of it."""


@dataclass(frozen=True)
class Place:
    """Where a stack stands, to be asked what there is.

    Attributes:
        account: The AWS account.
        partition: Its partition.
        iam: A client of its IAM.
        vault: A client of its Vault, with the rights that the stack itself takes.
    """

    account: str
    partition: str
    iam: Any
    vault: hvac.Client


def recover(stack: PulumiStack, place: Callable[[], Place], say: Callable[[str], None]) -> None:
    """Brings the state to what there is, if an update was killed; else asks for nothing but the state.

    Args:
        stack: The stack; nobody else may be updating it.
        place: Gives where it stands.
        say: Takes one line for each thing found.

    Raises:
        ToolError: It takes a person: the message says what to do. What was done so far stays done.
    """
    state = stack.state()
    deployment = state["deployment"]
    pending = [
        operation["resource"]
        for operation in deployment.get("pending_operations") or []
        if operation["type"] == "creating"
    ]
    if not pending:
        return
    say("an update of this stack was killed midway; looking for what it has made")
    resources = deployment.get("resources") or []
    killed = _Killed(place(), list(resources), say)
    for resource in pending:
        if resource["type"] == KEY:
            killed.delete_stray_key(str(resource["inputs"]["user"]))
        elif found := killed.made(resource["type"], resource["inputs"]):
            say(f"taking into the state what it had made: {found}")
            # Without outputs: the refresh asks for them, as it does of what is imported.
            resources.append({**resource, "id": found})
    # `pulumi refresh --import-pending-creates` forgets what it should import (tried with 3.259).
    stack.write_state({**state, "deployment": {**deployment, "resources": resources, "pending_operations": []}})
    if stack.run("refresh", "--yes", "--skip-preview").returncode:
        raise ToolError("the state was not brought up to date; mend what is said above, and run the same command again")


class _Killed:
    """What an update that was killed has made."""

    def __init__(self, place: Place, resources: Sequence[Mapping[str, Any]], say: Callable[[str], None]) -> None:
        self._place, self._resources, self._say = place, resources, say

    def made(self, kind: str, inputs: Mapping[str, Any]) -> str | None:
        """The id of what should have been made, if it was; None too for what may be made twice."""
        if kind == "aws:iam/user:User":
            return str(inputs["name"]) if self._in_iam("get_user", UserName=inputs["name"]) else None
        if kind == "aws:iam/policy:Policy":
            name = f"{inputs.get('path', '/')}{inputs['name']}"
            arn = f"arn:{self._place.partition}:iam::{self._place.account}:policy{name}"
            return arn if self._in_iam("get_policy", PolicyArn=arn) else None
        if kind in _MOUNTS:
            path = str(inputs.get("path") or inputs.get("type"))
            return path if self._in_vault(f"{_MOUNTS[kind]}/{path}") else None
        if kind == "vault:appRole/authBackendRole:AuthBackendRole":
            # Vault takes a role again under its name, but not what the provider says of it (local_secret_ids).
            path = f"auth/{inputs.get('backend', 'approle')}/role/{inputs['roleName']}"
            return path if self._in_vault(path) else None
        if kind == "vault:index/audit:Audit":
            devices = self._place.vault.sys.list_enabled_audit_devices()["data"]
            return str(inputs["path"]) if f"{inputs['path']}/" in devices else None
        return None

    def delete_stray_key(self, user: str) -> None:
        """Deletes the key of a user that neither the state nor Vault knows.

        Raises:
            ToolError: Somebody uses such a key.
        """
        iam = self._place.iam
        try:
            listed = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        except iam.exceptions.NoSuchEntityException:
            return
        known = self._known_keys()
        for key in (entry["AccessKeyId"] for entry in listed if entry["AccessKeyId"] not in known):
            # Nobody holds the secret of a key that the update made: a key that was used is somebody's.
            if iam.get_access_key_last_used(AccessKeyId=key)["AccessKeyLastUsed"].get("LastUsedDate"):
                raise ToolError(
                    f"the IAM user {user} has the access key {key}, which this stack did not make and somebody uses; "
                    f"find out who, delete it (aws iam delete-access-key --user-name {user} --access-key-id {key}), "
                    "and run the same command again"
                )
            iam.delete_access_key(UserName=user, AccessKeyId=key)
            self._say(f"deleted the access key {key} of {user}: the update had made it, and nobody holds its secret")

    def _known_keys(self) -> Collection[str]:
        """The keys that the state knows, and those that Vault holds."""
        known = {str(resource.get("id")) for resource in self._resources if resource["type"] == KEY}
        for resource in self._resources:
            if _MOUNTS.get(resource["type"]) == "sys/mounts" and (
                root := self._in_vault(f"{resource['inputs']['path']}/config/root")
            ):
                known.add(str(root["data"]["access_key"]))
        return known

    def _in_iam(self, call: str, **arguments: str) -> bool:
        try:
            getattr(self._place.iam, call)(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchEntity":
                return False
            raise
        return True

    def _in_vault(self, path: str) -> Mapping[str, Any] | None:
        try:
            answer: Mapping[str, Any] | None = self._place.vault.adapter.get(f"/v1/{path}")
        except (hvac.exceptions.InvalidPath, hvac.exceptions.InvalidRequest):
            return None
        return answer
