"""The server as a process: how it starts, what it tells, where it listens, how it ends."""

import json
import socket
import stat
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.tools.local_aws.conftest import (
    EVERYTHING,
    MODULE,
    PROJECT,
    Keys,
    Running,
    allow,
    arn,
    policy,
    refusal,
    running,
)


def status(server: Running, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> int:
    connection = HTTPConnection("127.0.0.1", server.port)
    connection.request(method, path, body, headers)
    return connection.getresponse().status


def test_the_administrator_may_do_everything_and_is_a_user(admin: Keys) -> None:
    assert admin.arn == "arn:aws:iam::123456789012:user/pulumi-administrator"
    assert admin.iam.list_users()["Users"]
    assert admin.client("ec2").describe_account_attributes()


def test_the_administrators_key_is_in_a_file_for_the_owner_alone(server: Running) -> None:
    assert stat.S_IMODE(server.credentials.stat().st_mode) == 0o600
    assert set(json.loads(server.credentials.read_text())) == {"AccessKeyId", "SecretAccessKey"}


def test_it_listens_on_loopback_alone(server: Running) -> None:
    listening = [
        connection.laddr
        for connection in psutil.Process(server.process.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == [("127.0.0.1", server.port)]


def test_an_existing_account_is_there(admin: Keys) -> None:
    assert admin.s3.get_object(Bucket="reports", Key="hello.txt")["Body"].read() == b"hello"
    assert admin.s3.head_object(Bucket="payroll", Key="salaries.csv")["ContentLength"]
    assert admin.client("dynamodb").scan(TableName="orders")["Count"] == 1
    assert admin.iam.list_group_policies(GroupName="engineers")["PolicyNames"]
    deploy = admin.assume("deploy")
    assert deploy.arn == "arn:aws:sts::123456789012:assumed-role/deploy/test"
    assert deploy.s3.get_object(Bucket="reports", Key="hello.txt")["Body"].read() == b"hello"
    assert deploy.s3.list_objects_v2(Bucket="reports")["KeyCount"] == 1
    assert refusal(deploy.s3.get_object, Bucket="payroll", Key="salaries.csv") == "AccessDenied"
    assert refusal(deploy.s3.put_object, Bucket="reports", Key="x", Body=b"") == "AccessDenied"


@pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api/reset-auth", "/moto-api/data.json"])
def test_motos_own_endpoints_are_shut(server: Running, admin: Keys, path: str) -> None:
    assert status(server, "POST", path, b"1000000", {}) == 501
    assert admin.s3.head_bucket(Bucket="reports")
    assert refusal(Keys(server.url, "AKIA" + "A" * 16, "x").iam.list_users) == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/", {}, b"Action=ListUsers&Version=2010-05-08"),
        ("/", {"X-Amz-Target": "AWSCognitoIdentityService.GetId"}, b"Action=ListUsers&Version=2010-05-08"),
        ("/", {}, b"Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::123456789012:role/deploy&Version=2011-06-15"),
        ("/reports/hello.txt", {}, None),
        ("/latest/meta-data/iam/security-credentials/", {}, None),
    ],
)
def test_unsigned_requests_are_refused(server: Running, path: str, headers: dict[str, str], body: bytes | None) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    assert status(server, "POST" if body else "GET", path, body, {**form, **headers}) in {403, 404, 501}


def signed(server: Running, keys: Keys, call: str) -> AWSRequest:
    body = f"Action={call}&Version=2010-05-08"
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = AWSRequest("POST", server.url + "/", headers, body)
    SigV4Auth(Credentials(keys.access_key_id, keys.secret), "iam", "us-east-1").add_auth(request)
    return request


def test_a_signed_request_stands_as_it_was_signed(server: Running, admin: Keys) -> None:
    def answer(body: bytes, **changed: str) -> int:
        return status(server, "POST", "/", body, {**dict(request.headers.items()), **changed})

    request = signed(server, admin, "GetUser")
    body, authorization = request.data.encode(), request.headers["Authorization"]
    assert answer(body) == 200
    assert answer(body.replace(b"GetUser", b"ListUsers")) == 403
    assert answer(body, Authorization=authorization[:-1] + ("0" if authorization[-1] != "0" else "1")) == 403
    # moto takes the last thing in the header that looks like a key for the caller.
    assert answer(body, Authorization=f"{authorization}, Also={admin.access_key_id}/") == 400
    assert answer(body, **{"X-Amz-Date": "20300101T000000Z"}) == 400


def test_a_parameter_of_another_call_counts_for_nothing(server: Running, admin: Keys) -> None:
    user = admin.make_user(policy(allow("iam:*", arn("group/engineers"))))
    call = f"PutUserPolicy&UserName={user.user}&PolicyName=p&PolicyDocument={quote(EVERYTHING)}"
    request = signed(server, user, f"{call}&GroupName=engineers")
    assert status(server, "POST", "/", request.data.encode(), dict(request.headers.items())) == 403
    assert admin.iam.list_user_policies(UserName=user.user)["PolicyNames"] == ["test"]


def test_a_caller_cannot_choose_the_account(admin: Keys) -> None:
    user = admin.make_user(EVERYTHING)
    client = user.client("iam")
    client.meta.events.register(
        "before-sign", lambda request, **_: request.headers.add_header("x-moto-account-id", "9" * 12)
    )
    assert client.get_user()["User"]["Arn"] == arn(f"user/{user.user}")


def test_services_that_are_not_behind_the_door_are_not_served(admin: Keys) -> None:
    assert refusal(admin.client("lambda").list_functions) == "501"


def test_a_port_in_use_ends_in_one_line(server: Running, tmp_path: Path) -> None:
    command = [sys.executable, *MODULE, "--port", str(server.port), "--credentials", str(tmp_path / "key.json")]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert not done.stdout
    assert done.stderr.splitlines() == [
        f"local AWS: port {server.port} of 127.0.0.1 cannot be had (Address already in use); name another, or 0 for any"
    ]
    assert not (tmp_path / "key.json").exists()


def test_a_credentials_file_that_cannot_be_written_ends_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, *MODULE, "--port", "0", "--credentials", str(tmp_path / "no" / "key.json")]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "--credentials" in done.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("environment.MOTO_VERSION = '0'", "pip install 'moto[server]==0'"),
        ("environment.prepare(); from moto.s3.responses import S3Response; del S3Response._set_action", "_set_action"),
    ],
)
def test_another_moto_is_refused_in_one_line(tmp_path: Path, change: str, message: str) -> None:
    program = f"import sys; from tools.local_aws import environment, __main__ as it; {change}; sys.exit(it.main())"
    command = [sys.executable, "-c", program, "--port", "0", "--credentials", str(tmp_path / "key.json")]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert message in done.stderr
    assert not (tmp_path / "key.json").exists()


def test_it_ends_when_told(tmp_path: Path) -> None:
    with running(tmp_path) as started:
        started.process.terminate()
        assert started.process.wait(10) == 0
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", started.port)) != 0
