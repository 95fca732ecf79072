"""Users, keys, groups and policies: IAM's own rules for them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.tools.local_aws.conftest import EVERYTHING, Keys, allow, arn, policy, refusal, unique


def test_a_user_has_at_most_two_keys(admin: Keys) -> None:
    user = admin.make_user()
    second = admin.iam.create_access_key(UserName=user.user)["AccessKey"]
    assert refusal(admin.iam.create_access_key, UserName=user.user) == "LimitExceeded"
    assert Keys(user.url, second["AccessKeyId"], second["SecretAccessKey"]).arn == user.arn


def test_a_key_ends_when_it_is_deleted_or_made_inactive(admin: Keys) -> None:
    user = admin.make_user(EVERYTHING)
    named = {"UserName": user.user, "AccessKeyId": user.access_key_id}
    admin.iam.update_access_key(**named, Status="Inactive")
    assert refusal(user.sts.get_caller_identity) == "InvalidClientTokenId"
    admin.iam.update_access_key(**named, Status="Active")
    assert user.arn
    admin.iam.delete_access_key(**named)
    assert refusal(user.sts.get_caller_identity) == "InvalidClientTokenId"
    assert refusal(user.s3.list_buckets) == "InvalidAccessKeyId"
    assert refusal(user.client("ec2").describe_instances) == "AuthFailure"
    assert refusal(user.client("dynamodb").list_tables) == "UnrecognizedClientException"


def test_a_wrong_secret_is_refused(admin: Keys) -> None:
    wrong = Keys(admin.url, admin.access_key_id, admin.secret[::-1])
    assert refusal(wrong.sts.get_caller_identity) == "SignatureDoesNotMatch"
    assert refusal(wrong.s3.list_buckets) == "SignatureDoesNotMatch"


def test_the_last_use_of_a_key_is_known(admin: Keys) -> None:
    user = admin.make_user(policy(allow("s3:*", "*")))
    assert admin.iam.get_access_key_last_used(AccessKeyId=user.access_key_id)["UserName"] == user.user
    user.s3.list_buckets()
    used = admin.iam.get_access_key_last_used(AccessKeyId=user.access_key_id)["AccessKeyLastUsed"]
    assert used["ServiceName"] == "s3"


def test_a_user_goes_only_with_nothing_attached(admin: Keys) -> None:
    user = admin.make_user(EVERYTHING)
    managed, iam, name = admin.make_policy(EVERYTHING), admin.iam, {"UserName": user.user}
    iam.attach_user_policy(**name, PolicyArn=managed)
    iam.add_user_to_group(**name, GroupName="engineers")
    iam.create_login_profile(**name, Password="correct horse")
    for undo, what in (
        (iam.delete_access_key, {"AccessKeyId": user.access_key_id}),
        (iam.delete_user_policy, {"PolicyName": "test"}),
        (iam.detach_user_policy, {"PolicyArn": managed}),
        (iam.remove_user_from_group, {"GroupName": "engineers"}),
        (iam.delete_login_profile, {}),
    ):
        assert refusal(iam.delete_user, **name) == "DeleteConflict"
        undo(**name, **what)
    iam.delete_user(**name)


def test_a_group_goes_only_empty(admin: Keys) -> None:
    group, user = {"GroupName": unique("group")}, admin.make_user().user
    admin.iam.create_group(**group)
    admin.iam.add_user_to_group(**group, UserName=user)
    admin.iam.put_group_policy(**group, PolicyName="p", PolicyDocument=EVERYTHING)
    assert refusal(admin.iam.delete_group, **group) == "DeleteConflict"
    admin.iam.remove_user_from_group(**group, UserName=user)
    assert refusal(admin.iam.delete_group, **group) == "DeleteConflict"
    admin.iam.delete_group_policy(**group, PolicyName="p")
    admin.iam.delete_group(**group)


def test_a_policy_in_use_stays(admin: Keys) -> None:
    managed, user = admin.make_policy(EVERYTHING), admin.make_user().user
    admin.iam.attach_user_policy(UserName=user, PolicyArn=managed)
    admin.iam.attach_user_policy(UserName=user, PolicyArn=managed)  # twice is once
    assert refusal(admin.iam.delete_policy, PolicyArn=managed) == "DeleteConflict"
    admin.iam.detach_user_policy(UserName=user, PolicyArn=managed)
    admin.iam.create_policy_version(PolicyArn=managed, PolicyDocument=EVERYTHING, SetAsDefault=True)
    assert refusal(admin.iam.delete_policy, PolicyArn=managed) == "DeleteConflict"
    admin.iam.delete_policy_version(PolicyArn=managed, VersionId="v1")
    admin.iam.delete_policy(PolicyArn=managed)


def test_the_default_version_of_a_policy_holds(admin: Keys) -> None:
    managed, user = admin.make_policy(policy(allow("s3:*", "*"))), admin.make_user()
    admin.iam.attach_user_policy(UserName=user.user, PolicyArn=managed)
    assert user.s3.list_buckets()
    document = policy(allow("sns:*", "*"))
    admin.iam.create_policy_version(PolicyArn=managed, PolicyDocument=document, SetAsDefault=True)
    assert refusal(user.s3.list_buckets) == "AccessDenied"
    admin.iam.set_default_policy_version(PolicyArn=managed, VersionId="v1")
    assert user.s3.list_buckets()


def test_quotas(admin: Keys) -> None:
    user = admin.make_user().user
    half = policy(allow("*", "arn:aws:s3:::" + "a" * 1000))
    admin.iam.put_user_policy(UserName=user, PolicyName="one", PolicyDocument=half)
    admin.iam.put_user_policy(UserName=user, PolicyName="one", PolicyDocument=half)
    two = {"UserName": user, "PolicyName": "two", "PolicyDocument": half}
    assert refusal(admin.iam.put_user_policy, **two) == "LimitExceeded"
    managed = [admin.make_policy(EVERYTHING) for _ in range(11)]
    for each in managed[:10]:
        admin.iam.attach_user_policy(UserName=user, PolicyArn=each)
    assert refusal(admin.iam.attach_user_policy, UserName=user, PolicyArn=managed[10]) == "LimitExceeded"


@pytest.mark.parametrize("name", ["no spaces", "a" * 65, "slash/ed"])
def test_names_are_checked(admin: Keys, name: str) -> None:
    assert refusal(admin.iam.create_user, UserName=name) == "ValidationError"


def test_a_renamed_user_keeps_its_key_and_tags(admin: Keys) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    user, taken = admin.make_user(EVERYTHING, Tags=tags), admin.make_user().user
    assert refusal(admin.iam.update_user, UserName=user.user, NewUserName=taken) == "EntityAlreadyExists"
    new = unique("renamed")
    admin.iam.update_user(UserName=user.user, NewUserName=new, NewPath="/moved/")
    assert user.arn == arn(f"user/moved/{new}")
    assert admin.iam.list_user_tags(UserName=new)["Tags"] == tags
    assert refusal(admin.iam.get_user, UserName=user.user) == "NoSuchEntity"


def test_renaming_needs_both_names(admin: Keys) -> None:
    mine = admin.make_user(name=unique("mine")).user
    user = admin.make_user(policy(allow("iam:UpdateUser", arn("user/mine-*"))))
    assert refusal(user.iam.update_user, UserName=mine, NewUserName="theirs") == "AccessDenied"
    user.iam.update_user(UserName=mine, NewUserName=unique("mine"))


def test_many_hands_at_once(admin: Keys) -> None:
    iam = admin.iam

    def make_and_unmake(number: int) -> str:
        name = f"parallel-{number}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=EVERYTHING)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        seen = Keys(admin.url, key["AccessKeyId"], key["SecretAccessKey"]).arn
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="p")
        iam.delete_user(UserName=name)
        return seen

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(make_and_unmake, range(24))) == [arn(f"user/parallel-{number}") for number in range(24)]
