"""What credentials can do, each type of them, and what Vault's own user can."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.conftest import World

pytestmark = pytest.mark.e2e


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


def refused(call: Any, **parameters: Any) -> str:
    """The error code of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_each_type_of_credential_does_what_its_role_says(world: World) -> None:
    world.up()
    identities = {}
    for role in ("my-role", "report-reader", "deploy", "report-session"):
        key = world.read(role)["data"]
        s3 = world.aws("s3", key)
        assert s3.get_object(Bucket="reports", Key="hello.txt")["Body"].read() == b"hello"
        if role != "my-role":
            assert refused(s3.get_object, Bucket="payroll", Key="salaries.csv") == "AccessDenied"
        assert refused(world.aws("iam", key).list_users) in {"AccessDenied", "InvalidClientTokenId"}
        identities[role] = world.aws("sts", key).get_caller_identity()["Arn"].split(":")[5]
    assert identities["my-role"].startswith("user/vault-")
    assert identities["report-reader"].startswith("user/vault-")
    assert identities["deploy"].startswith("assumed-role/deploy/vault-")
    assert identities["report-session"].startswith("federated-user/vault-")


def test_a_revoked_lease_takes_its_user_with_it(world: World) -> None:
    world.up()
    users = world.user_names()
    lease = world.read("report-reader")
    [made] = world.user_names() - users
    tags = world.aws("iam").list_user_tags(UserName=made)["Tags"]
    assert {"Key": "team", "Value": "reporting"} in tags
    assert [group["GroupName"] for group in world.aws("iam").list_groups_for_user(UserName=made)["Groups"]] == [
        "engineers"
    ]
    world.vault.sys.revoke_lease(lease["lease_id"])
    assert world.user_names() == users
    assert refused(world.aws("sts", lease["data"]).get_caller_identity) == "InvalidClientTokenId"


def test_vaults_user_can_do_nothing_beside_its_work(world: World) -> None:
    world.up()
    key = world.root_key()
    iam, sts = world.aws("iam", key), world.aws("sts", key)
    own = "secrets-engine-local-aws"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
        ],
    }
    world.aws("iam").create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(trust))
    world.aws("iam").create_group(GroupName="administrators")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    calls = [
        (iam.list_users, {}),
        (iam.create_user, {"UserName": "somebody"}),
        (iam.create_user, {"UserName": "vault-x", "Path": "/elsewhere/"}),
        (iam.create_access_key, {"UserName": own}),
        (iam.create_access_key, {"UserName": "pulumi-administrator"}),
        (iam.put_user_policy, {"UserName": own, "PolicyName": "all", "PolicyDocument": document}),
        (iam.attach_user_policy, {"UserName": own, "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        (iam.add_user_to_group, {"UserName": own, "GroupName": "engineers2"}),
        (iam.add_user_to_group, {"UserName": own, "GroupName": "administrators"}),
        (iam.create_policy, {"PolicyName": "all", "PolicyDocument": document}),
        (iam.create_role, {"RoleName": "mine", "AssumeRolePolicyDocument": json.dumps(trust)}),
        (sts.assume_role, {"RoleArn": "arn:aws:iam::123456789012:role/other", "RoleSessionName": "test"}),
        (world.aws("s3", key).get_object, {"Bucket": "payroll", "Key": "salaries.csv"}),
    ]
    for call, parameters in calls:
        assert refused(call, **parameters) == "AccessDenied", (call.__name__, parameters)


def test_without_a_federated_role_vaults_user_cannot_federate(world: World) -> None:
    del world.roles["report-session"]
    world.config["vault-aws:access"]["reporting"]["roles"].remove("report-session")
    world.up()
    sts = world.aws("sts", world.root_key())
    assert refused(sts.get_federation_token, Name="vault-x") == "AccessDenied"


def test_a_path_of_its_own_moves_vaults_scope_along(world: World) -> None:
    for role in world.roles.values():
        if role["credentialType"] == "iam_user":
            role["userPath"] = "/leased/"
    world.up()
    world.read("my-role")
    assert len(world.user_names("/leased/")) == 1
    iam = world.aws("iam", world.root_key())
    assert refused(iam.create_user, UserName="vault-x", Path="/") == "AccessDenied"


def test_a_username_template_moves_vaults_scope_along(world: World) -> None:
    world.engine["usernameTemplate"] = "lease-{{ random 20 }}"
    changes = world.apply()
    assert [name for name, operation in changes.items() if "key" in name and operation == "delete"] == ["aws-key-1"]
    world.read("my-role")
    assert any(name.startswith("lease-") for name in world.user_names())
    assert refused(world.aws("iam", world.root_key()).create_user, UserName="vault-x") == "AccessDenied"


def test_a_role_that_can_too_much_fails_make_verify_by_name(world: World) -> None:
    world.up()
    # The probes are no part of the stack: with others, what stands is judged anew.
    world.roles["my-role"]["probes"] = {"denied": world.roles["my-role"]["probes"]["allowed"]}
    world.write()
    users = world.user_names()
    done = world.tools("verify")
    assert done.returncode == 1
    assert re.findall(r"│ (\S+) +│.*│ failed │", done.stdout) == ["my-role"]
    assert len(re.findall(r"│ ok +│", done.stdout)) == len(world.roles) - 1
    assert (
        "my-role: s3:GetObject {'Bucket': 'reports', 'Key': 'hello.txt'} succeeded and must be refused" in done.stdout
    )
    # What was read to try it is taken back, whatever came of it.
    assert world.user_names() == users
