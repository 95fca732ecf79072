"""The IAM policies of Vault's own user, derived from the roles that its engine declares.

The actions are those that the engine calls, each on the resource on which AWS authorises it
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html).
Nothing stands here that no declared role needs. Two things go beyond HashiCorp's example policy, which
AWS would refuse: a group's membership is authorised on the group, and tags take a right of their own. What gives a
user rights is allowed under a permissions boundary alone, so that whoever holds the key cannot make a user without.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from documents.canonical import canonical
from documents.limits import MANAGED_POLICY_LIMIT, size_of
from settings.engines import Engine
from settings.faults import Fault
from settings.roles import AssumedRole, FederationTokenRole, IamUserRole, Role
from settings.static_roles import StaticRole
from settings.usernames import username_prefix

MANAGED_POLICIES_A_USER = 10
"""How many managed policies AWS attaches to a user by default (the quota can be raised to 20)."""

_ALWAYS = (
    "iam:DeleteUser",
    "iam:CreateAccessKey",
    "iam:DeleteAccessKey",
    "iam:ListAccessKeys",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupsForUser",
    "iam:ListUserPolicies",
    # A lease outlives changes of its role, so what an earlier form of the role attached can be taken off, and from a
    # user without the present boundary as well: taking off gives no right that the boundary was to keep.
    "iam:DeleteUserPolicy",
    "iam:DetachUserPolicy",
)


@dataclass(frozen=True)
class VaultUserPolicies:
    """What Vault's user may do.

    Attributes:
        documents: IAM policy documents by purpose (`manage-users`, `assume-roles`, `federate-ROLE`),
            each to be a managed policy of its own.
        managed_arns: Existing managed policies that the user must carry as well, because federated
            sessions get no right that the user itself lacks.
    """

    documents: Mapping[str, str]
    managed_arns: tuple[str, ...]


def vault_user_policies(
    engine: Engine,
    roles: Mapping[str, Role],
    rendered: Mapping[str, str],
    *,
    own_user: str,
    static_roles: Mapping[str, StaticRole],
    boundaries: Collection[str],
    partition: str,
    account: str,
) -> VaultUserPolicies:
    """Derives the policies of the IAM user whose key an engine holds.

    Args:
        engine: The engine; its username template decides which users are Vault's.
        roles: The engine's roles, by name.
        rendered: The roles' policy documents, canonical and with placeholders filled, by role name.
        own_user: Path and name of the user itself.
        static_roles: The engine's static roles, by name.
        boundaries: The ARNs of the permissions boundaries that the users of its roles carry.
        partition: The AWS partition (`aws`, `aws-cn`, `aws-us-gov`).
        account: The account's 12 digits.

    Returns:
        The documents; none for an engine without roles.
    """
    arn = f"arn:{partition}:iam::{account}"
    users = {name: role for name, role in roles.items() if isinstance(role, IamUserRole)}
    documents = {}
    if users:
        documents["manage-users"] = _document(
            *_user_statements(users, arn, username_prefix(engine.username_template), boundaries)
        )
    if sessions := [role for role in roles.values() if isinstance(role, AssumedRole)]:
        documents["assume-roles"] = _document(*_assume_statements(sessions))
    read = sorted({group for role in roles.values() for group in _session_groups(role)})
    if read:
        documents["read-groups"] = _document(
            _allow(
                ["iam:GetGroupPolicy", "iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies"],
                [f"{arn}:group/{group}" for group in read],
            )
        )
    if engine.rotation == "vault":
        # What config/rotate-root calls, on the engine's own user.
        documents["rotate-own-key"] = _document(
            _allow(["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:GetUser"], [f"{arn}:user{own_user}"])
        )
    keys = ["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:GetUser", "iam:ListAccessKeys"]
    # A policy each, so that the right goes after its static role has gone, and with it the role's key.
    documents |= {
        static_policy(name): _document(_allow(keys, [f"{arn}:user{role.user_path}{role.user_name}"]))
        for name, role in static_roles.items()
    }
    federated = {name: role for name, role in roles.items() if isinstance(role, FederationTokenRole)}
    if federated:
        token = f"arn:{partition}:sts::{account}:federated-user/*"
        documents["federate"] = _document(_allow(["sts:GetFederationToken"], [token]))
    documents |= {f"federate-{name}": rendered[name] for name, role in federated.items() if role.policy}
    managed = sorted({policy for role in federated.values() for policy in role.policy_arns})
    return VaultUserPolicies(documents, tuple(managed))


def static_policy(role: str) -> str:
    """The purpose of the policy with which the key of a static role's user is rotated."""
    return f"rotate-{role}"


def vault_user_faults(where: str, engine: str, policies: VaultUserPolicies) -> list[Fault]:
    """Says where derived policies are more or larger than AWS takes."""
    field = f"engines.{engine}"
    faults = [
        Fault(
            where,
            field,
            f"the policy {purpose!r} of Vault's user would have {size_of(document)} characters and AWS takes "
            f"{MANAGED_POLICY_LIMIT}; move some of the engine's roles to another engine",
        )
        for purpose, document in policies.documents.items()
        if size_of(document) > MANAGED_POLICY_LIMIT
    ]
    count = len(policies.documents) + len(policies.managed_arns)
    if count > MANAGED_POLICIES_A_USER:
        faults.append(
            Fault(
                where,
                field,
                f"Vault's user would carry {count} managed policies and AWS attaches {MANAGED_POLICIES_A_USER}; "
                "each federation_token role takes one, so move some of them to another engine",
            )
        )
    return faults


def _user_statements(
    users: Mapping[str, IamUserRole], arn: str, prefix: str, boundaries: Collection[str]
) -> list[dict[str, Any]]:
    own_users = sorted({f"{arn}:user{role.user_path}{prefix}*" for role in users.values()})
    attachable = sorted({policy for role in users.values() for policy in role.policy_arns})
    groups = sorted({group for role in users.values() for group in role.iam_groups})
    bounded: dict[str, Any] = {"StringEquals": {"iam:PermissionsBoundary": sorted(boundaries)}}
    making = ["iam:CreateUser"]
    if any(role.policy for role in users.values()):
        making.append("iam:PutUserPolicy")
    always = [*_ALWAYS, *(["iam:TagUser"] if any(role.iam_tags for role in users.values()) else [])]
    statements = [_allow(always, own_users), _allow(making, own_users) | {"Condition": bounded}]
    if attachable:
        only_these = {**bounded, "ArnEquals": {"iam:PolicyARN": attachable}}
        statements.append(_allow(["iam:AttachUserPolicy"], own_users) | {"Condition": only_these})
    if groups:
        group_arns = [f"{arn}:group/{group}" for group in groups]
        statements.append(_allow(["iam:AddUserToGroup", "iam:RemoveUserFromGroup"], group_arns))
    return statements


def _assume_statements(sessions: list[AssumedRole]) -> list[dict[str, Any]]:
    statements = [_allow(["sts:AssumeRole"], [role_arn for role in sessions for role_arn in role.role_arns])]
    tagged = [role_arn for role in sessions if role.session_tags for role_arn in role.role_arns]
    if tagged:
        statements.append(_allow(["sts:TagSession"], tagged))
    return statements


def _session_groups(role: Role) -> list[str]:
    # Vault reads these groups' policies itself, to send them with the session.
    return role.iam_groups if isinstance(role, AssumedRole | FederationTokenRole) else []


def _allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _document(*statements: dict[str, Any]) -> str:
    return canonical({"Version": "2012-10-17", "Statement": list(statements)})
