"""The live leases of a stack's roles: counted, revoked, and what they leave behind in AWS."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import hvac
from botocore.exceptions import ClientError

from settings.trace import PREFIX
from tools.errors import ToolError

Say = Callable[[str], None]


@dataclass(frozen=True)
class RoleLeases:
    """The live leases of one role.

    Attributes:
        role: The role's name.
        ids: The leases' ids.
    """

    role: str
    ids: tuple[str, ...]


def live_leases(vault: hvac.Client, paths: Mapping[str, str]) -> list[RoleLeases]:
    """Lists the live leases of roles.

    Args:
        vault: A client whose token may list `sys/leases/lookup`.
        paths: The path from which each role's credentials are read, by role name.

    Returns:
        The roles that have any; a role that exists no more is among them while its leases live.

    Raises:
        ToolError: Vault does not say.
    """
    found = []
    for role, path in paths.items():
        ids = [lease for read in (path, path.replace("/creds/", "/sts/", 1)) for lease in _lookup(vault, read)]
        if ids:
            found.append(RoleLeases(role, tuple(ids)))
    return found


def revoke(vault: hvac.Client, leases: list[RoleLeases], *, force: bool, say: Say) -> bool:
    """Revokes leases, one by one, so that a lease that cannot be revoked holds up no other.

    A lease whose IAM user somebody has deleted already is forgotten: Vault refuses to, while the lease is
    younger than five minutes, because AWS might only not know the user yet.

    Args:
        vault: A client whose token may revoke leases; forcing takes `sudo` on `sys/leases/revoke-force`.
        leases: What to revoke.
        force: Have Vault forget every lease that it cannot revoke.
        say: Takes one line for each role and for each lease that was forgotten.

    Returns:
        Whether Vault forgot any, so that something of it may be left in AWS.

    Raises:
        ToolError: Some could not be revoked; it names each with AWS's reason, and the ways out.
    """
    refused = {}
    for role in leases:
        say(f"revoking {len(role.ids)} live leases of role {role.role}")
        for lease in role.ids:
            try:
                # Vault answers before it has revoked, unless it is told to wait.
                vault.adapter.put("/v1/sys/leases/revoke", json={"lease_id": lease, "sync": True})
            except hvac.exceptions.VaultError as error:
                refused[lease] = " ".join(str(error).split())
    gone = [lease for lease, reason in refused.items() if "NoSuchEntity" in reason]
    for lease in refused if force else gone:
        say(f"forgetting {lease}: {'its IAM user is gone already' if lease in gone else refused[lease]}")
        vault.adapter.put(f"/v1/sys/leases/revoke-force/{lease}")
    kept = {} if force else {lease: reason for lease, reason in refused.items() if lease not in gone}
    if kept:
        reasons = "\n".join(f"  {lease}: {reason}" for lease, reason in kept.items())
        raise ToolError(
            f"{len(kept)} leases could not be revoked, so nothing was destroyed:\n{reasons}\n"
            "mend what AWS names (a login profile or another thing that somebody added to the IAM user) and run "
            "`make down` again; or run it with FORCE=1, which has Vault forget them and deletes their IAM users"
        )
    return bool(refused)


def leftover_users(iam: Any, mounts: set[str], environment: str) -> Iterator[str]:  # noqa: ANN401 - boto3 makes it
    """Yields the IAM users that Vault made for a stack's mounts, known by the tags that the stack gave them."""
    for page in iam.get_paginator("list_users").paginate():
        for user in page["Users"]:
            tags = {tag["Key"]: tag["Value"] for tag in iam.list_user_tags(UserName=user["UserName"])["Tags"]}
            if tags.get(f"{PREFIX}environment") == environment and tags.get(f"{PREFIX}mount") in mounts:
                yield user["UserName"]


def delete_user(iam: Any, name: str) -> None:  # noqa: ANN401 - boto3 makes it
    """Deletes an IAM user with all that AWS wants gone first, whoever added it.

    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
    """
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    for attached in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
        iam.detach_user_policy(UserName=name, PolicyArn=attached["PolicyArn"])
    for group in iam.list_groups_for_user(UserName=name)["Groups"]:
        iam.remove_user_from_group(UserName=name, GroupName=group["GroupName"])
    try:
        iam.delete_login_profile(UserName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
    iam.delete_user(UserName=name)


def end_leases(
    vault: hvac.Client, paths: Mapping[str, str], *, mounts: set[str], environment: str, force: bool, say: Say
) -> None:
    """Leaves nothing alive of what roles gave out, before their stack is destroyed.

    Args:
        vault: A client that may list and revoke leases.
        paths: The path from which each role's credentials are read, by role name.
        mounts: The paths of the stack's mounts.
        environment: The stack's environment, as in the tags of its IAM users.
        force: Also end what Vault cannot revoke: see `revoke`. IAM users of it are deleted with the caller's own
            credentials.
        say: Takes one line for each thing done.

    Raises:
        ToolError: Something stays alive; nothing has been destroyed then.
    """
    leases = live_leases(vault, paths)
    total = sum(len(role.ids) for role in leases)
    say(f"{total} live leases" + (": " if total else "") + ", ".join(f"{r.role} {len(r.ids)}" for r in leases))
    if revoke(vault, leases, force=force, say=say):
        iam = boto3.client("iam")
        for name in list(leftover_users(iam, mounts, environment)):
            delete_user(iam, name)
            say(f"deleted the IAM user {name}")


def _lookup(vault: hvac.Client, path: str) -> list[str]:
    try:
        answer = vault.adapter.list(f"/v1/sys/leases/lookup/{path}")
    except hvac.exceptions.InvalidPath:
        return []
    except hvac.exceptions.VaultError as error:
        reason = " ".join(str(error).split())
        raise ToolError(f"the leases of {path} cannot be listed, so nothing was changed: {reason}") from None
    return [f"{path}/{key}" for key in answer["data"]["keys"]]
