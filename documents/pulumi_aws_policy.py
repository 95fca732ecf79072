"""The IAM policy of the principal that runs a stack: what Pulumi's provider and the tools ask of AWS.

Which calls these are was read from a record of a whole life of a stack on the local AWS, and a test reads it again.
Some only the official provider makes, whose later releases read tags and attachments by calls of their own. Each stands
on the resource on which AWS authorises it
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from documents.canonical import canonical
from documents.stack import StackDocuments

_READ_USER = (
    "iam:GetLoginProfile",
    "iam:GetUser",
    "iam:ListAccessKeys",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupsForUser",
    "iam:ListUserPolicies",
    "iam:ListUserTags",
)
_CHANGE_USER = (
    "iam:CreateAccessKey",
    "iam:CreateUser",
    "iam:DeleteAccessKey",
    "iam:DeleteUser",
    "iam:TagUser",
    "iam:UntagUser",
)
# The provider looks for all that may hang on a user which it deletes by force, as one whose keys Vault makes; a stack
# puts none of it there but keys, so what it would need to take off the rest is left out.
_CLEAR_USER = (
    "iam:DeleteLoginProfile",
    "iam:ListMFADevices",
    "iam:ListServiceSpecificCredentials",
    "iam:ListSigningCertificates",
    "iam:ListSSHPublicKeys",
)
_READ_POLICY = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyTags")
_CHANGE_POLICY = (
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:ListPolicyVersions",
    "iam:TagPolicy",
    "iam:UntagPolicy",
)
_READ_TOPIC = ("sns:GetTopicAttributes", "sns:ListTagsForResource")
_CHANGE_TOPIC = ("sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:TagResource", "sns:UntagResource")
_READ_RULE = ("events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule")
_CHANGE_RULE = (
    "events:DeleteRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "events:TagResource",
    "events:UntagResource",
)


@dataclass(frozen=True)
class StateStore:
    """Where Pulumi's state is, if the principal must reach it by the same rights.

    Attributes:
        bucket_arn: The ARN of the bucket.
        prefix: The prefix of its objects; empty for all.
        key_arn: The ARN of the KMS key of the secrets provider, or None.
    """

    bucket_arn: str
    prefix: str = ""
    key_arn: str | None = None


def pulumi_aws_policy(
    documents: StackDocuments, *, account: str, partition: str, changes: bool, state: StateStore | None = None
) -> str:
    """The policy that is enough for a stack of these settings, and no more than that.

    Whoever may make changes may write the policies of Vault's user: treat the principal as an administrator of what
    Vault may hand out. The other one can only read.

    Args:
        documents: The stack's settings and documents.
        account: The account in which it stands.
        partition: Its partition.
        changes: Whether it allows an update, or only a preview, a refresh of the state apart, and a search for drift.
        state: Where Pulumi's state is, unless others give the right to it.

    Returns:
        The document, canonical. It holds names, and no secret.
    """
    iam = f"arn:{partition}:iam::{account}"
    statements = [
        *_iam_statements(documents, iam, changes=changes),
        *_alarm_statements(documents, partition, account, changes=changes),
        *(_state_statements(state, changes=changes) if state else ()),
    ]
    return canonical({"Version": "2012-10-17", "Statement": statements})


def _iam_statements(documents: StackDocuments, iam: str, *, changes: bool) -> Iterator[dict[str, Any]]:
    settings = documents.settings
    users, cleared, policies, attached = [], [], [], []
    for name, engine in settings.engines.items():
        path = engine.vault_user.path
        vault_rotates = engine.rotation == "vault"
        # There, each root configuration has a user of its own, by a digest at the name's end.
        user = settings.vault_user_name(name)
        if vault_rotates:
            user = f"{user.removesuffix(engine.root_digest(settings.region))}*"
            cleared.append(f"{iam}:user{path}{user}")
        users.append(f"{iam}:user{path}{user}")
        policies.append(f"{iam}:policy{path}{user.removesuffix('*')}*")
        partition, account = iam.split(":")[1], iam.split(":")[4]
        attached += [policies[-1], *documents.vault_user(name, account=account, partition=partition).managed_arns]
        boundary = documents.boundary(name, account=account, partition=partition)
        if boundary and boundary.name:
            policies.append(f"{iam}:policy{path}{boundary.name}")
    yield _allow("ReadVaultUsers", _READ_USER, users)
    # A key that somebody gave to Vault is named by its user, whoever that is.
    yield _allow("NameTheUserOfAKey", ["iam:GetAccessKeyLastUsed"], [f"{iam}:user/*"])
    yield _allow("ReadPolicies", _READ_POLICY, policies)
    if changes:
        yield _allow("ChangeVaultUsers", _CHANGE_USER, users)
        if cleared:
            yield _allow("ClearVaultUsers", _CLEAR_USER, cleared)
            # AWS knows no resource of this call.
            yield _allow("LookForDevices", ["iam:ListVirtualMFADevices"], ["*"])
        yield _allow("ChangePolicies", _CHANGE_POLICY, policies)
        yield _allow(
            "AttachNoOtherPolicy",
            ["iam:AttachUserPolicy", "iam:DetachUserPolicy"],
            users,
            {"ArnLike": {"iam:PolicyARN": sorted(set(attached))}},
        )


def _alarm_statements(
    documents: StackDocuments, partition: str, account: str, *, changes: bool
) -> Iterator[dict[str, Any]]:
    alarm = documents.settings.alarm
    if not alarm.topic_name:
        return
    regions = sorted(alarm.rule_regions(documents.settings.region))
    topics = [f"arn:{partition}:sns:{region}:{account}:{alarm.topic_name}" for region in regions]
    rules = [f"arn:{partition}:events:{region}:{account}:rule/{alarm.topic_name}-*" for region in regions]
    yield _allow("ReadAlarmTopics", _READ_TOPIC, topics)
    yield _allow("ReadAlarmRules", _READ_RULE, rules)
    if changes:
        yield _allow("ChangeAlarmTopics", _CHANGE_TOPIC, topics)
        yield _allow("ChangeAlarmRules", _CHANGE_RULE, rules)


def _state_statements(state: StateStore, *, changes: bool) -> Iterator[dict[str, Any]]:
    yield _allow("ListState", ["s3:ListBucket"], [state.bucket_arn])
    objects = ["s3:GetObject", *(["s3:DeleteObject", "s3:PutObject"] if changes else [])]
    yield _allow("State", objects, [f"{state.bucket_arn}/{state.prefix}*"])
    if state.key_arn:
        keys = ["kms:Decrypt", *(["kms:Encrypt"] if changes else [])]
        yield _allow("SecretsInState", keys, [state.key_arn])


def _allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": sorted(set(resources))}
    return {**statement, "Condition": condition} if condition else statement
