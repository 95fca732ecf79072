"""Ends what an update began that was killed: a thing may have been made, and the state does not know of it.

Pulumi writes into the state what it is about to make, and whether it was made only once it knows. Killed in between, it
leaves a pending operation (https://www.pulumi.com/docs/support/troubleshooting/common-issues/interrupted-updates/).
Made again, a user, a policy or a mount would collide with itself; taken into the state, it does not. A key cannot be
taken into it, since AWS tells its secret once: it is deleted, and the next update makes another.

An update of a resource that failed is recorded too, and wrongly: what was to be written stands in its outputs, beside
the error, so that the next update finds nothing left to write (terraform-plugin-sdk keeps what it planned; Terraform
itself never notices, since it refreshes before every plan). A refresh puts it right.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import boto3
import hvac
from botocore.config import Config
from botocore.exceptions import ClientError

from settings.place import pinned_accounts
from tools.errors import ToolError
from tools.pulumi_stack import PulumiStack

KEY: Final = "aws:iam/accessKey:AccessKey"
CLOCKS: Final = timedelta(minutes=5)
"""How far AWS's clock and this machine's may be apart; requests signed further off are refused."""

_CLIENT: Final = Config(connect_timeout=5, read_timeout=20)
_ENGINES: Final = {"vault:aws/secretBackend:SecretBackend", "vault:index/mount:Mount"}
_METHODS: Final = {"vault:index/authBackend:AuthBackend", "vault:jwt/authBackend:AuthBackend"}


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

    @classmethod
    def of(cls, stack: str, config: Mapping[str, Any], vault: hvac.Client) -> "Place":
        """Asks AWS whose the credentials of the environment are.

        Args:
            stack: The stack's name.
            config: Its configuration, which may pin the account.
            vault: A client of its Vault.

        Raises:
            ToolError: They are of another account than the stack's.
        """
        region = str(config.get("aws:region") or "us-east-1")
        caller = boto3.client("sts", region_name=region, config=_CLIENT).get_caller_identity()
        account, pinned = caller["Account"], pinned_accounts(config)
        if pinned and account not in pinned:
            raise ToolError(
                f"nothing was changed; the AWS credentials belong to account {account}, and stack {stack} is for "
                f"{' or '.join(pinned)} (aws:allowedAccountIds); use credentials of that account"
            )
        iam = boto3.client("iam", region_name=region, config=_CLIENT)
        return cls(account, caller["Arn"].split(":")[1], iam, vault)


def recover(
    stack: PulumiStack, place: Callable[[], Place], say: Callable[[str], None], *, killed: bool
) -> Sequence[Mapping[str, Any]]:
    """Brings the state to what there is, if an update was killed or failed; else asks for nothing but the state.

    Args:
        stack: The stack; nobody else may be updating it.
        place: Gives where it stands.
        killed: Whether an update is known to have been killed, though its state may name nothing that was under way.
        say: Takes one line for each thing found.

    Returns:
        The resources that the state holds then.

    Raises:
        ToolError: It takes a person: the message says what to do. What was done so far stays done.
    """
    state = stack.state()
    deployment = state["deployment"]
    pending = deployment.get("pending_operations") or []
    resources = list(deployment.get("resources") or [])
    if not pending and not killed and not any(resource.get("initErrors") for resource in resources):
        return resources
    say(f"the last update of the stack {stack.name} did not end well; bringing the state to what is there")
    creating = [operation["resource"] for operation in pending if operation["type"] == "creating"]
    if creating:
        begun = datetime.fromisoformat(deployment["manifest"]["time"]) - CLOCKS
        there = _Found(place(), resources, begun, say)
        for resource in creating:
            if not resource.get("custom"):
                # A component is nothing but its children.
                continue
            if resource["type"] == KEY:
                there.delete_stray_key(str(resource["inputs"]["user"]))
            elif identity := there.identity(resource["type"], resource["inputs"]):
                say(f"taking into the state what was made: {identity}")
                # Without outputs: the refresh asks for them, as it does of what is imported.
                resources.append({**resource, "id": identity})
        # `pulumi refresh --import-pending-creates` forgets what it should import (tried with 3.259).
        stack.write_state({**state, "deployment": {**deployment, "resources": resources, "pending_operations": []}})
    if stack.run("refresh", "--yes", "--skip-preview").returncode:
        raise ToolError("the state was not brought up to date; mend what is said above, and run the same command again")
    return stack.resources()


class _Found:
    """What is there of the things that an update was making when it was killed."""

    def __init__(
        self,
        place: Place,
        resources: Sequence[Mapping[str, Any]],
        begun: datetime,
        say: Callable[[str], None],
    ) -> None:
        self._place, self._resources, self._begun, self._say = place, resources, begun, say

    def identity(self, kind: str, inputs: Mapping[str, Any]) -> str | None:
        """The id of a thing, if it is there; None too for what may be made twice.

        Raises:
            ToolError: It is there, and was before the update.
        """
        if kind == "aws:iam/user:User":
            user = self._in_iam("get_user", UserName=inputs["name"])
            return self._new("IAM user", inputs["name"], user["User"]) if user else None
        if kind == "aws:iam/policy:Policy":
            name = f"{inputs.get('path', '/')}{inputs['name']}"
            arn = f"arn:{self._place.partition}:iam::{self._place.account}:policy{name}"
            policy = self._in_iam("get_policy", PolicyArn=arn)
            return self._new("IAM policy", arn, policy["Policy"]) if policy else None
        path = str(inputs.get("path") or inputs.get("type"))
        if kind in _ENGINES:
            return self._empty(path, "roles") if self._in_vault(f"sys/mounts/{path}") else None
        if kind in _METHODS:
            return self._empty(f"auth/{path}", "role") if self._in_vault(f"sys/mounts/auth/{path}") else None
        if kind == "vault:appRole/authBackendRole:AuthBackendRole":
            # Vault takes a role again under its name, but not what the provider says of it (local_secret_ids).
            role = f"auth/{inputs.get('backend', 'approle')}/role/{inputs['roleName']}"
            return role if self._in_vault(role) else None
        if kind == "vault:index/audit:Audit":
            devices = self._place.vault.sys.list_enabled_audit_devices()["data"]
            return str(inputs["path"]) if f"{inputs['path']}/" in devices else None
        return None

    def _new(self, what: str, identity: str, found: Mapping[str, Any]) -> str:
        if found["CreateDate"] < self._begun:
            raise ToolError(
                f"the {what} {identity} that the stack was to make is of {found['CreateDate']:%Y-%m-%d %H:%M} UTC, "
                "before the update that was killed, so it is not this stack's: delete it, or name the stack's own "
                "otherwise, and run the same command again"
            )
        return identity

    def _empty(self, path: str, kind: str) -> str:
        """The path of a mount that the update made; roles in it would be somebody's."""
        if listed := self._in_vault(f"{path}/{kind}?list=true"):
            raise ToolError(
                f"something is mounted at {path}/ that has roles ({', '.join(listed['data']['keys'][:3])}), so the "
                "update that was killed did not make it; give the stack's own another path, or unmount that one, and "
                "run the same command again"
            )
        return path.removeprefix("auth/")

    def delete_stray_key(self, user: str) -> None:
        """Deletes the keys of a user that neither the state nor Vault knows, made since the update began.

        Raises:
            ToolError: Somebody uses such a key.
        """
        iam = self._place.iam
        listed = self._in_iam("list_access_keys", UserName=user) or {"AccessKeyMetadata": []}
        known = self._known_keys()
        for entry in listed["AccessKeyMetadata"]:
            key = entry["AccessKeyId"]
            if key in known or entry["CreateDate"] < self._begun:
                # An older one is drift, which a person is told of.
                continue
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
            if resource["type"] in _ENGINES and (root := self._in_vault(f"{resource['inputs']['path']}/config/root")):
                known.add(str(root["data"]["access_key"]))
        return known

    def _in_iam(self, call: str, **arguments: str) -> Mapping[str, Any] | None:
        try:
            answer: Mapping[str, Any] = getattr(self._place.iam, call)(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchEntity":
                return None
            raise
        return answer

    def _in_vault(self, path: str) -> Mapping[str, Any] | None:
        try:
            answer: Mapping[str, Any] | None = self._place.vault.adapter.get(f"/v1/{path}")
        except (hvac.exceptions.InvalidPath, hvac.exceptions.InvalidRequest):
            return None
        return answer
