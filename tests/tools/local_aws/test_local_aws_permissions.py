"""Who may do what: each call by its own ARN and the condition keys that AWS gives it."""

import json
from typing import Any

import pytest

from tests.tools.local_aws.conftest import EVERYTHING, Keys, allow, arn, policy, refusal, unique

DENIED = "AccessDenied"

# HashiCorp's documented policy for Vault's user: https://developer.hashicorp.com/vault/docs/secrets/aws
VAULT_ACTIONS = [
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateUser",
    "iam:DeleteAccessKey",
    "iam:DeleteUser",
    "iam:DeleteUserPolicy",
    "iam:DetachUserPolicy",
    "iam:GetUser",
    "iam:ListAccessKeys",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupsForUser",
    "iam:ListUserPolicies",
    "iam:PutUserPolicy",
    "iam:AddUserToGroup",
    "iam:RemoveUserFromGroup",
]
VAULT_POLICY = policy(allow(VAULT_ACTIONS, arn("user/vault-*")))


@pytest.fixture(scope="module")
def vault(admin: Keys) -> Keys:
    return admin.make_user(VAULT_POLICY, name="operator-of-vault")


def test_vaults_documented_policy_works_inside_its_scope(vault: Keys, admin: Keys) -> None:
    name, managed = unique("vault-app"), admin.make_policy(EVERYTHING)
    iam = vault.iam
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=EVERYTHING)
    iam.attach_user_policy(UserName=name, PolicyArn=managed)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    assert Keys(vault.url, key["AccessKeyId"], key["SecretAccessKey"]).arn == arn(f"user/{name}")
    assert iam.get_user(UserName=name)["User"]["UserName"] == name
    assert iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    assert iam.list_user_policies(UserName=name)["PolicyNames"] == ["p"]
    assert iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
    assert iam.list_groups_for_user(UserName=name)["Groups"] == []
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="p")
    iam.detach_user_policy(UserName=name, PolicyArn=managed)
    iam.delete_user(UserName=name)


def test_vaults_documented_policy_does_nothing_outside_its_scope(vault: Keys, admin: Keys) -> None:
    other = admin.make_user(name=unique("ada")).user
    iam = vault.iam
    assert refusal(iam.create_user, UserName="ada-2") == DENIED
    assert refusal(iam.create_user, UserName="vault-x", Path="/elsewhere/") == DENIED
    assert refusal(iam.delete_user, UserName=other) == DENIED
    assert refusal(iam.create_access_key, UserName=other) == DENIED
    assert refusal(iam.put_user_policy, UserName=other, PolicyName="p", PolicyDocument=EVERYTHING) == DENIED
    assert refusal(iam.attach_user_policy, UserName=other, PolicyArn=arn("policy/x")) == DENIED
    assert refusal(iam.list_users) == DENIED
    assert refusal(iam.create_role, RoleName="vault-r", AssumeRolePolicyDocument=EVERYTHING) == DENIED
    assert refusal(iam.update_user, UserName=other, NewUserName="vault-y") == DENIED
    assert refusal(vault.sts.assume_role, RoleArn=arn("role/deploy"), RoleSessionName="xx") == DENIED


def test_a_user_may_not_do_to_itself_what_names_no_user(vault: Keys) -> None:
    """Without a UserName the call is about the caller's own user."""
    assert refusal(vault.iam.create_access_key) == DENIED
    assert refusal(vault.iam.list_access_keys) == DENIED
    assert refusal(vault.iam.get_user) == DENIED


def test_the_own_user_is_meant_where_none_is_named(admin: Keys) -> None:
    user = admin.make_user(policy(allow("iam:*", arn("user/${aws:username}"))))
    assert user.iam.get_user()["User"]["UserName"] == user.user
    made = user.iam.create_access_key()["AccessKey"]
    assert made["UserName"] == user.user
    other = admin.make_user()
    assert refusal(user.iam.delete_access_key, AccessKeyId=other.access_key_id) == "NoSuchEntity"
    assert refusal(user.iam.update_access_key, AccessKeyId=other.access_key_id, Status="Inactive") == "NoSuchEntity"
    user.iam.delete_access_key(AccessKeyId=made["AccessKeyId"])
    assert refusal(user.iam.get_user, UserName=other.user) == DENIED


def test_a_role_must_name_the_user(admin: Keys) -> None:
    role = admin.make_role({"Principal": {"AWS": arn("root")}})
    assert refusal(admin.assume(role).iam.create_access_key) == "ValidationError"


def test_the_path_of_a_user_is_part_of_its_arn(admin: Keys) -> None:
    user = admin.make_user(policy(allow(VAULT_ACTIONS, arn("user/team/vault-*"))))
    name = unique("vault")
    user.iam.create_user(UserName=name, Path="/team/")
    user.iam.create_access_key(UserName=name)
    admin.iam.create_user(UserName=name + "b")
    assert refusal(user.iam.create_access_key, UserName=name + "b") == DENIED


def test_a_group_is_authorised_by_its_own_arn(vault: Keys, admin: Keys) -> None:
    name = unique("vault-member")
    admin.iam.create_user(UserName=name)
    assert refusal(vault.iam.add_user_to_group, GroupName="engineers", UserName=name) == DENIED
    helper = admin.make_user(policy(allow(["iam:AddUserToGroup", "iam:RemoveUserFromGroup"], arn("group/engineers"))))
    helper.iam.add_user_to_group(GroupName="engineers", UserName=name)
    helper.iam.remove_user_from_group(GroupName="engineers", UserName=name)
    admin.iam.create_group(GroupName=(other := unique("group")))
    assert refusal(helper.iam.add_user_to_group, GroupName=other, UserName=name) == DENIED


def test_the_policies_of_groups_count(admin: Keys) -> None:
    user = admin.make_user()
    table = user.client("dynamodb")
    order = {"TableName": "orders", "Key": {"id": {"S": "1"}}}
    assert refusal(table.get_item, **order) == "AccessDeniedException"
    admin.iam.add_user_to_group(GroupName="engineers", UserName=user.user)
    assert table.get_item(**order)["Item"]
    assert refusal(table.delete_item, **order) == "AccessDeniedException"


def test_tags_at_creation_need_a_permission_of_their_own(vault: Keys, admin: Keys) -> None:
    tagged = {"UserName": unique("vault"), "Tags": [{"Key": "team", "Value": "a"}]}
    assert refusal(vault.iam.create_user, **tagged) == DENIED
    tagger = admin.make_user(policy(allow(["iam:CreateUser", "iam:TagUser"], arn("user/vault-*"))))
    assert tagger.iam.create_user(**tagged)["User"]["Tags"] == tagged["Tags"]


def test_conditions_on_tags(admin: Keys) -> None:
    condition = {
        "StringEquals": {"aws:RequestTag/team": ["a", "b"]},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    }
    user = admin.make_user(policy(allow(["iam:CreateUser", "iam:TagUser"], "*", Condition=condition)))
    team = {"Key": "team", "Value": "a"}
    user.iam.create_user(UserName=unique("tagged"), Tags=[team])
    assert refusal(user.iam.create_user, UserName=unique("tagged")) == DENIED
    assert refusal(user.iam.create_user, UserName=unique("tagged"), Tags=[{"Key": "team", "Value": "c"}]) == DENIED
    more = [team, {"Key": "cost", "Value": "1"}]
    assert refusal(user.iam.create_user, UserName=unique("tagged"), Tags=more) == DENIED


def test_conditions_on_the_tags_of_the_target_and_the_principal(admin: Keys) -> None:
    same = {"StringEquals": {"iam:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    user = admin.make_user(policy(allow("iam:GetUser", "*", Condition=same)), Tags=[{"Key": "team", "Value": "a"}])
    for team in ("a", "b"):
        admin.iam.create_user(UserName=f"of-team-{team}", Tags=[{"Key": "team", "Value": team}])
    assert user.iam.get_user(UserName="of-team-a")
    assert refusal(user.iam.get_user, UserName="of-team-b") == DENIED


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": "123456789012"}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "us-west-2"}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/condition-*"}}, True),
        ({"StringLike": {"aws:username": "condition-*"}}, True),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, False),  # a user's own key does not have the key
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, True),
        ({"StringLike": {"s3:prefix": "2030/*"}}, True),
        ({"StringLike": {"s3:prefix": "2031/*"}}, False),
    ],
)
def test_condition_keys_of_every_request(admin: Keys, condition: Any, allowed: bool) -> None:
    user = admin.make_user(policy(allow("s3:ListBucket", "*", Condition=condition)), name=unique("condition"))
    if allowed:
        user.s3.list_objects_v2(Bucket="reports", Prefix="2030/")
    else:
        assert refusal(user.s3.list_objects_v2, Bucket="reports", Prefix="2030/") == DENIED


def test_an_explicit_denial_wins(admin: Keys) -> None:
    denial = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::payroll/*"}
    user = admin.make_user(policy(allow("s3:*", "*"), denial))
    assert user.s3.get_object(Bucket="reports", Key="hello.txt")
    with pytest.raises(user.s3.exceptions.ClientError, match="explicit deny"):
        user.s3.get_object(Bucket="payroll", Key="salaries.csv")


# --- permissions boundaries


@pytest.fixture(scope="module")
def boundary(admin: Keys) -> str:
    return admin.make_policy(policy(allow(["s3:GetObject", "iam:GetUser"], "*")))


def test_a_boundary_is_kept_and_shown(admin: Keys, boundary: str) -> None:
    name = unique("bounded")
    admin.iam.create_user(UserName=name, PermissionsBoundary=boundary)
    shown = admin.iam.get_user(UserName=name)["User"]["PermissionsBoundary"]
    assert shown["PermissionsBoundaryArn"] == boundary
    admin.iam.delete_user_permissions_boundary(UserName=name)
    assert "PermissionsBoundary" not in admin.iam.get_user(UserName=name)["User"]
    admin.iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=boundary)
    assert admin.iam.get_user(UserName=name)["User"]["PermissionsBoundary"] == shown
    assert refusal(admin.iam.delete_policy, PolicyArn=boundary) == "DeleteConflict"
    missing = {"UserName": unique("bounded"), "PermissionsBoundary": arn("policy/none")}
    assert refusal(admin.iam.create_user, **missing) == "NoSuchEntity"


def test_a_boundary_bounds_its_user(admin: Keys, boundary: str) -> None:
    user = admin.make_user(EVERYTHING, PermissionsBoundary=boundary)
    assert user.iam.get_user()["User"]["UserName"] == user.user
    assert user.s3.get_object(Bucket="payroll", Key="salaries.csv")
    assert refusal(user.s3.list_buckets) == DENIED
    assert refusal(user.iam.create_user, UserName="x") == DENIED
    bare = admin.make_user(PermissionsBoundary=boundary)
    assert refusal(bare.s3.get_object, Bucket="reports", Key="hello.txt") == DENIED


def test_a_refusal_names_the_kind_of_policy_that_lacks(admin: Keys, boundary: str) -> None:
    bare, bounded = admin.make_user(), admin.make_user(EVERYTHING, PermissionsBoundary=boundary)
    guest, role = admin.federate(), admin.make_role({"Principal": {"AWS": arn("user/nobody")}})
    for call, kind in (
        (bare.s3.list_buckets, "identity-based policy"),
        (bounded.s3.list_buckets, "permissions boundary"),
        (guest.s3.list_buckets, "session policy"),
        (lambda: admin.assume(role), "resource-based policy"),
    ):
        with pytest.raises(bare.iam.exceptions.ClientError, match=f"because no {kind} allows the"):
            call()


def test_a_boundary_bounds_its_role(admin: Keys, boundary: str) -> None:
    role = admin.make_role({"Principal": {"AWS": arn("root")}}, PermissionsBoundary=boundary)
    assert admin.assume(role).s3.get_object(Bucket="reports", Key="hello.txt")
    assert refusal(admin.assume(role).s3.list_buckets) == DENIED


def test_a_boundary_can_be_demanded(admin: Keys, boundary: str) -> None:
    """The variant of HashiCorp's documented policy that holds the users Vault makes inside a boundary."""
    bounded = [
        "iam:AttachUserPolicy",
        "iam:CreateUser",
        "iam:DeleteUserPolicy",
        "iam:DetachUserPolicy",
        "iam:PutUserPolicy",
    ]
    condition = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    free = [action for action in VAULT_ACTIONS if action not in bounded]
    scope = arn("user/vault-*")
    vault = admin.make_user(policy(allow(bounded, scope, Condition=condition), allow(free, scope)))
    name, other = unique("vault"), admin.make_policy(EVERYTHING)
    assert refusal(vault.iam.create_user, UserName=name) == DENIED
    assert refusal(vault.iam.create_user, UserName=name, PermissionsBoundary=other) == DENIED
    vault.iam.create_user(UserName=name, PermissionsBoundary=boundary)
    vault.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=EVERYTHING)
    vault.iam.delete_user_policy(UserName=name, PolicyName="p")
    vault.iam.attach_user_policy(UserName=name, PolicyArn=other)
    vault.iam.detach_user_policy(UserName=name, PolicyArn=other)
    assert refusal(vault.iam.delete_user_permissions_boundary, UserName=name) == DENIED
    unbounded = admin.make_user(name=unique("vault")).user
    assert refusal(vault.iam.put_user_policy, UserName=unbounded, PolicyName="p", PolicyDocument=EVERYTHING) == DENIED
    assert refusal(vault.iam.attach_user_policy, UserName=unbounded, PolicyArn=other) == DENIED


def test_which_policies_may_be_attached_can_be_limited(admin: Keys) -> None:
    good, bad = admin.make_policy(EVERYTHING), admin.make_policy(EVERYTHING)
    condition = {"ArnEquals": {"iam:PolicyARN": good}}
    user = admin.make_user(policy(allow("iam:AttachUserPolicy", "*", Condition=condition)))
    name = admin.make_user().user
    user.iam.attach_user_policy(UserName=name, PolicyArn=good)
    assert refusal(user.iam.attach_user_policy, UserName=name, PolicyArn=bad) == DENIED


# --- S3's own


def test_a_copy_needs_to_read_its_source(admin: Keys) -> None:
    user = admin.make_user(policy(allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::reports/*")))
    user.s3.copy_object(Bucket="reports", Key="copy", CopySource={"Bucket": "reports", "Key": "hello.txt"})
    source = {"Bucket": "payroll", "Key": "salaries.csv"}
    assert refusal(user.s3.copy_object, Bucket="reports", Key="copy", CopySource=source) == DENIED


def test_deleting_several_objects_needs_each(admin: Keys) -> None:
    user = admin.make_user(policy(allow(["s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::reports/mine/*")))
    user.s3.put_object(Bucket="reports", Key="mine/a", Body=b"")
    theirs = {"Objects": [{"Key": "mine/a"}, {"Key": "hello.txt"}]}
    assert refusal(user.s3.delete_objects, Bucket="reports", Delete=theirs) == DENIED
    assert admin.s3.head_object(Bucket="reports", Key="hello.txt")
    assert user.s3.delete_objects(Bucket="reports", Delete={"Objects": [{"Key": "mine/a"}]})["Deleted"]


def test_a_buckets_settings_have_actions_of_their_own(admin: Keys) -> None:
    user = admin.make_user(policy(allow(["s3:ListBucket", "s3:CreateBucket", "s3:DeleteBucket"], "*")))
    assert user.s3.head_bucket(Bucket="reports")
    assert refusal(user.s3.get_bucket_encryption, Bucket="reports") == DENIED
    assert refusal(user.s3.delete_bucket_encryption, Bucket="reports") == DENIED
    assert refusal(user.s3.get_bucket_acl, Bucket="reports") == DENIED


def test_a_buckets_policy_counts(admin: Keys) -> None:
    bucket = unique("bucket")
    admin.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    admin.s3.put_object(Bucket=bucket, Key="a", Body=b"")
    named, other = admin.make_user(), admin.make_user(policy(allow("s3:GetObject", "*")))
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": arn(f"user/{named.user}")}, "Action": "s3:GetObject"},
        {"Effect": "Deny", "Principal": {"AWS": arn(f"user/{other.user}")}, "Action": "s3:GetObject"},
    ]
    document = policy(*[{**statement, "Resource": f"arn:aws:s3:::{bucket}/*"} for statement in statements])
    admin.s3.put_bucket_policy(Bucket=bucket, Policy=document)
    assert json.loads(admin.s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert named.s3.get_object(Bucket=bucket, Key="a")
    assert refusal(named.s3.put_object, Bucket=bucket, Key="a", Body=b"") == DENIED
    assert refusal(other.s3.get_object, Bucket=bucket, Key="a") == DENIED


def test_aws_managed_policies_are_there(admin: Keys) -> None:
    user = admin.make_user()
    admin.iam.attach_user_policy(UserName=user.user, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert user.s3.get_object(Bucket="reports", Key="hello.txt")
    assert refusal(user.s3.put_object, Bucket="reports", Key="x", Body=b"") == DENIED


@pytest.mark.parametrize(
    ("service", "allowed", "denied"),
    [
        ("sns", "arn:aws:sns:us-west-2:123456789012:app-*", "arn:aws:sns:us-west-2:123456789012:other"),
        ("sqs", "arn:aws:sqs:us-west-2:123456789012:app-*", "arn:aws:sqs:us-west-2:123456789012:other"),
        ("events", "arn:aws:events:us-west-2:123456789012:rule/app-*", "arn:aws:events:*:*:rule/other"),
    ],
)
def test_other_services_by_their_arns(admin: Keys, service: str, allowed: str, denied: str) -> None:
    calls = {
        "sns": lambda keys, name: keys.client("sns").create_topic(Name=name),
        "sqs": lambda keys, name: keys.client("sqs").create_queue(QueueName=name),
        "events": lambda keys, name: keys.client("events").put_rule(Name=name, ScheduleExpression="rate(1 day)"),
    }
    user = admin.make_user(policy(allow(f"{service}:*", allowed)))
    calls[service](user, "app-1")
    with pytest.raises(user.iam.exceptions.ClientError, match="not authorized"):
        calls[service](user, denied.rpartition(":")[2].rpartition("/")[2])


def test_a_kms_key_is_meant_by_its_id_its_arn_and_its_alias(admin: Keys) -> None:
    kms = admin.client("kms")
    mine, other = (kms.create_key()["KeyMetadata"] for _ in range(2))
    alias = f"alias/{unique('key')}"
    kms.create_alias(AliasName=alias, TargetKeyId=mine["KeyId"])
    user = admin.make_user(policy(allow(["kms:Encrypt", "kms:Decrypt"], mine["Arn"])), name=unique("kms"))
    for name in (mine["KeyId"], mine["Arn"], alias):
        sealed = user.client("kms").encrypt(KeyId=name, Plaintext=b"x")["CiphertextBlob"]
        assert user.client("kms").decrypt(KeyId=name, CiphertextBlob=sealed)["Plaintext"] == b"x"
        assert user.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    sealed_by_other = kms.encrypt(KeyId=other["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert refusal(user.client("kms").decrypt, CiphertextBlob=sealed_by_other) == "AccessDeniedException"
    assert refusal(user.client("kms").encrypt, KeyId=other["KeyId"], Plaintext=b"x") == "AccessDeniedException"
    assert refusal(user.client("kms").describe_key, KeyId=alias) == "AccessDeniedException"
