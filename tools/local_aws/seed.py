"""What the account has at the start: an administrator, and what roles of a demonstration reach."""

import json
from collections.abc import Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from tools.local_aws.environment import ACCOUNT, PARTITION
from tools.local_aws.identities import iam

ADMINISTRATOR = "pulumi-administrator"
REGION = "us-west-2"

BUCKETS = {
    "reports": {"hello.txt": b"hello"},
    "payroll": {"salaries.csv": b"name,salary\nada,100\n"},
}
TABLE = "orders"
ORDER = {"id": {"S": "1"}, "item": {"S": "a book"}}
ROLE = "deploy"
GROUP = "engineers"


def _policy(*statements: tuple[list[str], list[str]]) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": arns} for actions, arns in statements],
        }
    )


READ_REPORTS = _policy(
    (["s3:ListBucket"], [f"arn:{PARTITION}:s3:::reports"]),
    (["s3:GetObject"], [f"arn:{PARTITION}:s3:::reports/*"]),
)
READ_ORDERS = _policy((["dynamodb:GetItem", "dynamodb:Query"], [f"arn:{PARTITION}:dynamodb:*:{ACCOUNT}:table/{TABLE}"]))
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{PARTITION}:iam::{ACCOUNT}:root"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            },
        ],
    }
)


def make_administrator() -> Mapping[str, str]:
    """Makes the user that may do everything.

    Returns:
        Its access key, as AccessKeyId and SecretAccessKey.
    """
    iam().create_user(REGION, ADMINISTRATOR)
    iam().put_user_policy(ADMINISTRATOR, "administrator", _policy((["*"], ["*"])))
    key = iam().create_access_key(ADMINISTRATOR)
    return {"AccessKeyId": key.access_key_id, "SecretAccessKey": key.secret_access_key}


def make_account() -> None:
    """Makes the role and the group, the buckets with their objects and the table with its item."""
    iam().create_role(
        role_name=ROLE,
        assume_role_policy_document=TRUST,
        path="/",
        permissions_boundary=None,
        description="Reads the reports",
        tags=[],
        max_session_duration="3600",
    )
    iam().put_role_policy(ROLE, "read-reports", READ_REPORTS)
    iam().create_group(GROUP)
    iam().put_group_policy(GROUP, "read-orders", READ_ORDERS)
    _make_buckets()
    _make_table()


def _make_buckets() -> None:
    backend: Any = s3_backends[ACCOUNT][PARTITION]
    for name, objects in BUCKETS.items():
        backend.create_bucket(name, REGION)
        for key, content in objects.items():
            backend.put_object(name, key, content)


def _make_table() -> None:
    backend: Any = dynamodb_backends[ACCOUNT][REGION]
    backend.create_table(
        TABLE,
        schema=[{"AttributeName": "id", "KeyType": "HASH"}],
        throughput=None,
        attr=[{"AttributeName": "id", "AttributeType": "S"}],
        global_indexes=None,
        indexes=None,
        streams=None,
        billing_mode="PAY_PER_REQUEST",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )
    backend.put_item(TABLE, ORDER)
