"""A real server of the embedded AWS on a free port, and real clients."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

PROJECT = Path(__file__).parents[3]
ACCOUNT = "123456789012"
REGION = "us-west-2"
MODULE = ("-m", "tools.local_aws")
ONCE = Config(retries={"total_max_attempts": 1}, parameter_validation=False)


def arn(kind_and_name: str) -> str:
    """The ARN of an IAM entity such as `user/ada`."""
    return f"arn:aws:iam::{ACCOUNT}:{kind_and_name}"


def allow(actions: Any, resources: Any, **others: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **others}


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


EVERYTHING = policy(allow("*", "*"))


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def refusal(call: Any, **arguments: Any) -> str:
    """The error code with which AWS refuses a call."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


@dataclass(frozen=True)
class Keys:
    """Credentials, and the clients that use them."""

    url: str
    access_key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    user: str = ""

    def client(self, service: str) -> Any:
        return _client(self, service)

    @property
    def iam(self) -> Any:
        return self.client("iam")

    @property
    def sts(self) -> Any:
        return self.client("sts")

    @property
    def s3(self) -> Any:
        return self.client("s3")

    @property
    def arn(self) -> str:
        return str(self.sts.get_caller_identity()["Arn"])

    def session(self, credentials: Mapping[str, Any]) -> "Keys":
        """The keys that STS gave."""
        return Keys(self.url, credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])

    def assume(self, role: str, **others: Any) -> "Keys":
        answer = self.sts.assume_role(RoleArn=arn(f"role/{role}"), RoleSessionName="test", **others)
        return self.session(answer["Credentials"])

    def federate(self, **others: Any) -> "Keys":
        return self.session(self.sts.get_federation_token(Name="guest", **others)["Credentials"])

    def make_user(self, document: str | None = None, name: str | None = None, **others: Any) -> "Keys":
        """A new user with an inline policy and a key."""
        name = name or unique("user")
        self.iam.create_user(UserName=name, **others)
        if document:
            self.iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=document)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(self.url, key["AccessKeyId"], key["SecretAccessKey"], user=name)

    def make_policy(self, document: str) -> str:
        return str(self.iam.create_policy(PolicyName=unique("policy"), PolicyDocument=document)["Policy"]["Arn"])

    def make_role(self, trust: Mapping[str, Any], document: str | None = EVERYTHING, **others: Any) -> str:
        name = unique("role")
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **trust}
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(statement), **others)
        if document:
            self.iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=document)
        return name


@cache
def _client(keys: Keys, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=keys.url,
        region_name=REGION,
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret,
        aws_session_token=keys.token,
        config=ONCE,
    )


@dataclass(frozen=True)
class Running:
    """A server that runs, and what it wrote."""

    process: "subprocess.Popen[str]"
    url: str
    credentials: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def administrator(self) -> Keys:
        key = json.loads(self.credentials.read_text())
        return Keys(self.url, key["AccessKeyId"], key["SecretAccessKey"])


@contextmanager
def running(folder: Path, *program: str) -> Iterator[Running]:
    """Runs a server until the block ends."""
    credentials = folder / "administrator.json"
    command = [sys.executable, *(program or MODULE), "--port", "0", "--credentials", str(credentials)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            ready, _, url = process.stdout.readline().strip().partition(" ")
            assert ready == "ready"
            yield Running(process, url, credentials)
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("aws")) as started:
        yield started


@pytest.fixture(scope="module")
def admin(server: Running) -> Keys:
    return server.administrator
