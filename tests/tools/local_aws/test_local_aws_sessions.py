"""Temporary credentials: what STS gives, what they may do, and when they end."""

import base64
import hmac
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tools.local_aws.conftest import (
    EVERYTHING,
    Keys,
    Running,
    allow,
    arn,
    policy,
    refusal,
    running,
    unique,
)

DENIED = "AccessDenied"
READ_REPORTS = policy(allow("s3:GetObject", "arn:aws:s3:::reports/*"))
REPORT, PAYROLL = {"Bucket": "reports", "Key": "hello.txt"}, {"Bucket": "payroll", "Key": "salaries.csv"}


# --- federation


def test_a_federated_session_has_what_both_allow(admin: Keys) -> None:
    user = admin.make_user(policy(allow(["sts:GetFederationToken", "s3:*"], "*")))
    guest = user.federate(Policy=policy(allow(["s3:GetObject", "iam:*", "sns:*"], "*")))
    assert guest.arn == "arn:aws:sts::123456789012:federated-user/guest"
    assert guest.s3.get_object(**REPORT)
    assert refusal(guest.s3.list_buckets) == DENIED  # not in the session's policy
    assert refusal(guest.client("sns").list_topics) == DENIED  # not in the user's
    assert refusal(guest.iam.list_users) == DENIED
    assert refusal(guest.sts.assume_role, RoleArn=arn("role/deploy"), RoleSessionName="xx") == DENIED
    assert refusal(guest.sts.get_federation_token, Name="again") == DENIED


def test_federated_sessions_get_keys_of_their_own(admin: Keys) -> None:
    one, other = admin.federate(), admin.federate()
    assert len({one.access_key_id, other.access_key_id}) == len({one.secret, other.secret}) == 2
    assert one.access_key_id.startswith("ASIA")
    mixed = Keys(admin.url, one.access_key_id, one.secret, other.token)
    assert refusal(mixed.sts.get_caller_identity) == "InvalidClientTokenId"
    bare = Keys(admin.url, one.access_key_id, one.secret)
    assert refusal(bare.sts.get_caller_identity) == "InvalidClientTokenId"
    wrong = Keys(admin.url, one.access_key_id, other.secret, one.token)
    assert refusal(wrong.sts.get_caller_identity) == "SignatureDoesNotMatch"


def test_federation_without_a_policy_allows_nothing(admin: Keys) -> None:
    assert refusal(admin.federate().s3.get_object, **REPORT) == DENIED


def test_federation_takes_managed_policies(admin: Keys) -> None:
    guest = admin.federate(PolicyArns=[{"arn": admin.make_policy(READ_REPORTS)}])
    assert guest.s3.get_object(**REPORT)
    assert refusal(guest.s3.get_object, **PAYROLL) == DENIED


def test_federation_is_allowed_by_name(admin: Keys) -> None:
    user = admin.make_user(policy(allow("sts:GetFederationToken", "arn:aws:sts::123456789012:federated-user/guest")))
    assert user.federate().arn
    assert refusal(user.sts.get_federation_token, Name="other") == DENIED


def test_a_boundary_holds_for_federated_sessions(admin: Keys) -> None:
    boundary = admin.make_policy(policy(allow(["sts:GetFederationToken", "s3:ListAllMyBuckets"], "*")))
    guest = admin.make_user(EVERYTHING, PermissionsBoundary=boundary).federate(Policy=EVERYTHING)
    assert guest.s3.list_buckets()
    assert refusal(guest.s3.get_object, **REPORT) == DENIED


# --- GetSessionToken


def test_a_session_token_inherits_the_users_permissions(admin: Keys) -> None:
    user = admin.make_user(policy(allow(["s3:GetObject", "iam:*", "sts:*"], "*")))
    session = user.session(user.sts.get_session_token()["Credentials"])
    assert session.arn == arn(f"user/{user.user}")
    assert session.s3.get_object(**REPORT)
    assert refusal(session.s3.list_buckets) == DENIED
    assert refusal(session.iam.get_user) == DENIED
    assert refusal(session.sts.get_session_token) == DENIED
    assert refusal(session.sts.get_federation_token, Name="guest") == DENIED
    assert session.assume("deploy").arn


def test_a_session_token_needs_no_permission(admin: Keys) -> None:
    assert admin.make_user().sts.get_session_token()["Credentials"]


def test_a_session_with_mfa_may_use_iam(admin: Keys) -> None:
    user = admin.make_user(
        policy(allow("iam:GetUser", "*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    )
    device = admin.iam.create_virtual_mfa_device(VirtualMFADeviceName=unique("device"))["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"]
    codes = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000001"}
    admin.iam.enable_mfa_device(UserName=user.user, SerialNumber=serial, **codes)
    assert refusal(user.iam.get_user) == DENIED
    code = one_time_code(seed)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert refusal(user.sts.get_session_token, SerialNumber=serial, TokenCode="x" + wrong[1:]) == DENIED
    answer = user.sts.get_session_token(SerialNumber=serial, TokenCode=code)
    assert user.session(answer["Credentials"]).iam.get_user()
    assert refusal(admin.sts.get_session_token, SerialNumber=serial, TokenCode=code) == DENIED


def one_time_code(seed: bytes) -> str:
    digest = hmac.new(base64.b32decode(seed), (int(time.time()) // 30).to_bytes(8, "big"), "sha1").digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


# --- AssumeRole


def test_an_assumed_role_has_what_both_allow(admin: Keys) -> None:
    role = admin.make_role({"Principal": {"AWS": arn("root")}})
    session = admin.assume(role, Policy=READ_REPORTS)
    assert session.arn == f"arn:aws:sts::123456789012:assumed-role/{role}/test"
    assert session.s3.get_object(**REPORT)
    assert refusal(session.s3.get_object, **PAYROLL) == DENIED
    by_arn = admin.assume(role, PolicyArns=[{"arn": admin.make_policy(READ_REPORTS)}])
    assert by_arn.s3.get_object(**REPORT)
    assert refusal(by_arn.s3.get_object, **PAYROLL) == DENIED
    deploy = admin.assume("deploy", Policy=EVERYTHING)
    assert refusal(deploy.s3.get_object, **PAYROLL) == DENIED
    assert refusal(session.sts.get_federation_token, Name="guest") == DENIED


@pytest.mark.parametrize(
    ("principal", "identity", "allowed"),
    [
        ({"AWS": arn("root")}, True, True),
        ({"AWS": arn("root")}, False, False),
        ({"AWS": arn("user/{user}")}, False, True),  # within one account a trust policy that names the user is enough
        ({"AWS": arn("user/another")}, True, False),
        ({"Service": "ec2.amazonaws.com"}, True, False),
    ],
)
def test_trust_policies(admin: Keys, principal: dict[str, str], identity: bool, allowed: bool) -> None:
    user = admin.make_user(policy(allow("sts:AssumeRole", "*")) if identity else None)
    named = {kind: value.format(user=user.user) for kind, value in principal.items()}
    role = admin.make_role({"Principal": named})
    if allowed:
        assert user.assume(role).arn
    else:
        assert refusal(user.sts.assume_role, RoleArn=arn(f"role/{role}"), RoleSessionName="test") == DENIED


def test_an_explicit_denial_is_stronger_than_trust(admin: Keys) -> None:
    user = admin.make_user(policy({"Effect": "Deny", "Action": "sts:*", "Resource": "*"}))
    role = admin.make_role({"Principal": {"AWS": arn(f"user/{user.user}")}})
    assert refusal(user.sts.assume_role, RoleArn=arn(f"role/{role}"), RoleSessionName="test") == DENIED


def test_roles_are_named_by_their_whole_arn(admin: Keys) -> None:
    user = admin.make_user(policy(allow("sts:AssumeRole", arn("role/team/*"))))
    inside = admin.make_role({"Principal": {"AWS": arn("root")}}, Path="/team/")
    assert user.assume(f"team/{inside}").arn
    assert refusal(user.sts.assume_role, RoleArn=arn(f"role/{inside}"), RoleSessionName="test") == DENIED
    assert refusal(user.sts.assume_role, RoleArn=arn("role/deploy"), RoleSessionName="test") == DENIED


@pytest.mark.parametrize("role", [arn("role/no-such"), "arn:aws:iam::999999999999:role/deploy"])
def test_a_missing_role_is_refused(admin: Keys, role: str) -> None:
    assert refusal(admin.sts.assume_role, RoleArn=role, RoleSessionName="test") == DENIED


def test_an_external_id_can_be_demanded(admin: Keys) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "42"}}
    role = admin.make_role({"Principal": {"AWS": arn("root")}, "Condition": condition})
    assert admin.assume(role, ExternalId="42").arn
    named = {"RoleArn": arn(f"role/{role}"), "RoleSessionName": "test"}
    assert refusal(admin.sts.assume_role, **named) == DENIED
    assert refusal(admin.sts.assume_role, **named, ExternalId="43") == DENIED


def test_session_tags_need_to_be_allowed_on_both_sides(admin: Keys) -> None:
    tags = {"Tags": [{"Key": "team", "Value": "a"}]}
    plain = admin.make_role({"Principal": {"AWS": arn("root")}})
    named = {"RoleArn": arn(f"role/{plain}"), "RoleSessionName": "test"}
    assert refusal(admin.sts.assume_role, **named, **tags) == DENIED
    team = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
    role = admin.make_role(
        {"Principal": {"AWS": arn("root")}, "Action": ["sts:AssumeRole", "sts:TagSession"]},
        policy(allow("s3:GetObject", "*", Condition=team)),
    )
    assert admin.assume(role, **tags).s3.get_object(**REPORT)
    assert refusal(admin.assume(role).s3.get_object, **REPORT) == DENIED
    user = admin.make_user(policy(allow("sts:AssumeRole", "*")))
    named = {"RoleArn": arn(f"role/{role}"), "RoleSessionName": "test"}
    assert user.sts.assume_role(**named)
    assert refusal(user.sts.assume_role, **named, **tags) == DENIED


def test_a_trust_policy_may_be_changed_to_take_tags(admin: Keys) -> None:
    role = admin.make_role({"Principal": {"AWS": arn("root")}})
    statement = {"Effect": "Allow", "Principal": {"AWS": arn("root")}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    admin.iam.update_assume_role_policy(RoleName=role, PolicyDocument=policy(statement))
    assert admin.assume(role, Tags=[{"Key": "a", "Value": "b"}]).arn


def test_roles_can_be_chained(admin: Keys) -> None:
    first = admin.make_role({"Principal": {"AWS": arn("root")}})
    second = admin.make_role({"Principal": {"AWS": arn(f"role/{first}")}}, MaxSessionDuration=7200)
    session = admin.assume(first)
    assert session.assume(second).arn.endswith(f"{second}/test")
    narrow = admin.assume(first, Policy=READ_REPORTS)
    named = {"RoleArn": arn(f"role/{second}"), "RoleSessionName": "test"}
    assert refusal(narrow.sts.assume_role, **named) == DENIED
    assert refusal(session.sts.assume_role, **named, DurationSeconds=7200) == "ValidationError"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"DurationSeconds": 899}, "ValidationError"),
        ({"DurationSeconds": 3601}, "ValidationError"),
        ({"RoleSessionName": "no spaces"}, "ValidationError"),
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        ({"PolicyArns": [{"arn": arn("policy/no-such")}]}, "MalformedPolicyDocument"),
        ({"Policy": policy(allow("*", ["arn:aws:s3:::" + "a" * 900] * 3))}, "PackedPolicyTooLarge"),
    ],
)
def test_arguments_are_checked(admin: Keys, arguments: dict[str, Any], code: str) -> None:
    assert (
        refusal(admin.sts.assume_role, **{"RoleArn": arn("role/deploy"), "RoleSessionName": "test", **arguments})
        == code
    )


# --- the end of a session


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    """A server whose sessions tell the time by a file with the seconds that have passed."""
    folder = tmp_path_factory.mktemp("clock")
    passed = folder / "passed"
    passed.write_text("0")
    program = (
        "import sys, datetime, pathlib; from tools.local_aws import environment, __main__ as it; environment.prepare();"
        "from tools.local_aws import sessions; real = sessions.utcnow;"
        f"passed = lambda: datetime.timedelta(seconds=int(pathlib.Path({str(passed)!r}).read_text()));"
        "sessions.utcnow = lambda: real() + passed(); sys.exit(it.main())"
    )
    with running(folder, "-c", program) as started:
        yield started, passed


def test_sessions_end(clock: tuple[Running, Path]) -> None:
    server, passed = clock
    admin = server.administrator
    answer = admin.sts.assume_role(RoleArn=arn("role/deploy"), RoleSessionName="test", DurationSeconds=900)
    left = answer["Credentials"]["Expiration"] - datetime.now(UTC)
    assert timedelta(seconds=890) < left <= timedelta(seconds=900)
    role = admin.session(answer["Credentials"])
    guest = admin.federate(Policy=EVERYTHING, DurationSeconds=1800)
    passed.write_text("880")
    assert role.s3.get_object(**REPORT)
    passed.write_text("901")
    assert refusal(role.sts.get_caller_identity) == "ExpiredToken"
    assert refusal(role.s3.get_object, **REPORT) == "ExpiredToken"
    assert guest.s3.get_object(**REPORT)
    passed.write_text("1801")
    assert refusal(guest.s3.get_object, **REPORT) == "ExpiredToken"
    assert admin.arn


def test_a_session_ends_with_its_user_or_role(admin: Keys) -> None:
    user = admin.make_user(policy(allow(["sts:*", "s3:*"], "*")))
    guest = user.federate(Policy=EVERYTHING)
    role = admin.make_role({"Principal": {"AWS": arn("root")}})
    session = admin.assume(role)
    admin.iam.delete_role_policy(RoleName=role, PolicyName="test")
    assert refusal(session.s3.get_object, **REPORT) == DENIED
    admin.iam.delete_role(RoleName=role)
    assert refusal(session.sts.get_caller_identity) == "InvalidClientTokenId"
    admin.iam.delete_access_key(UserName=user.user, AccessKeyId=user.access_key_id)
    assert guest.s3.get_object(**REPORT)  # the session does not hang on the key that made it
    admin.iam.delete_user_policy(UserName=user.user, PolicyName="test")
    assert refusal(guest.s3.get_object, **REPORT) == DENIED
    admin.iam.delete_user(UserName=user.user)
    admin.make_user(EVERYTHING, name=user.user)
    assert refusal(guest.s3.get_object, **REPORT) == "InvalidAccessKeyId"
