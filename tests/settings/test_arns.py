"""ARNs that settings name one by one."""

import pytest

from settings.arns import arn_fault

_FORM = "an ARN is arn:partition:service:region:account:resource"
_ROLE = "write it like arn:aws:iam::123456789012:role/deploy"


@pytest.mark.parametrize(
    ("value", "service", "kind"),
    [
        ("arn:aws:iam::123456789012:role/deploy", "iam", "role"),
        ("arn:aws-cn:iam::123456789012:role/teams/data/deploy", "iam", "role"),
        ("arn:aws-us-gov:iam::123456789012:policy/boundary", "iam", "policy"),
        ("arn:aws:iam::aws:policy/job-function/Billing", "iam", "policy"),
        ("arn:aws:iam::123456789012:group/readers", "iam", "group"),
        ("arn:aws:iam::123456789012:user/ada@example.com", "iam", "user"),
        ("arn:aws:iam::123456789012:mfa/ada", "iam", "mfa"),
        ("arn:aws:sns:us-west-2:123456789012:alarms.fifo", "sns", "topic"),
        ("arn:aws:sns:us-gov-west-1:123456789012:alarms", "sns", "topic"),
        ("arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", "kms", "key"),
        ("arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab", "kms", "key"),
        ("arn:aws:kms:us-west-2:123456789012:alias/teams/state", "kms", "alias"),
    ],
)
def test_right_arns(value: str, service: str, kind: str) -> None:
    assert arn_fault(value, service, kind) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("deploy", f"'deploy' is not the ARN of an IAM role: {_FORM}; {_ROLE}"),
        ("", f"'' is not the ARN of an IAM role: {_FORM}; {_ROLE}"),
        ("arn:aws:iam::123456789012", f"'arn:aws:iam::123456789012' is not the ARN of an IAM role: {_FORM}; {_ROLE}"),
        (
            "arn:asw:iam::123456789012:role/deploy",
            "'arn:asw:iam::123456789012:role/deploy' is not the ARN of an IAM role: "
            f"'asw' is not a partition; did you mean 'aws'?; {_ROLE}",
        ),
        (
            "arn:aws:sts::123456789012:role/deploy",
            "'arn:aws:sts::123456789012:role/deploy' is not the ARN of an IAM role: "
            f"its service is 'sts' and must be 'iam'; {_ROLE}",
        ),
        (
            "arn:aws:iam:us-east-1:123456789012:role/deploy",
            "'arn:aws:iam:us-east-1:123456789012:role/deploy' is not the ARN of an IAM role: "
            f"it names the region 'us-east-1', and IAM has none; {_ROLE}",
        ),
        (
            "arn:aws:iam::12345678901:role/deploy",
            "'arn:aws:iam::12345678901:role/deploy' is not the ARN of an IAM role: "
            f"its account is '12345678901' and must have 12 digits; {_ROLE}",
        ),
        (
            "arn:aws:iam::aws:role/deploy",
            "'arn:aws:iam::aws:role/deploy' is not the ARN of an IAM role: "
            f"its account is 'aws' and must have 12 digits; {_ROLE}",
        ),
        (
            "arn:aws:iam::123456789012:user/deploy",
            "'arn:aws:iam::123456789012:user/deploy' is not the ARN of an IAM role: "
            f"its resource is 'user/deploy' and must be role/NAME; {_ROLE}",
        ),
        (
            "arn:aws:iam::123456789012:role/*",
            "'arn:aws:iam::123456789012:role/*' is not the ARN of an IAM role: "
            f"its resource is 'role/*' and must be role/NAME; {_ROLE}",
        ),
        (
            "arn:aws:iam::123456789012:role/" + "/" * 99 + "é",
            f"'arn:aws:iam::123456789012:role/{'/' * 99}é' is not the ARN of an IAM role: "
            f"its resource is 'role/{'/' * 99}é' and must be role/NAME; {_ROLE}",
        ),
    ],
)
def test_what_is_not_the_arn_of_a_role(value: str, message: str) -> None:
    assert arn_fault(value, "iam", "role") == message


@pytest.mark.parametrize(("region", "rule"), [("", "its region is missing"), ("Oregon", "its region is 'Oregon'")])
def test_a_topic_is_in_a_region(region: str, rule: str) -> None:
    value = f"arn:aws:sns:{region}:123456789012:alarms"
    assert arn_fault(value, "sns", "topic") == (
        f"{value!r} is not the ARN of an SNS topic: {rule}; write it like arn:aws:sns:us-west-2:123456789012:alarms"
    )


@pytest.mark.parametrize(
    ("service", "kind", "wanted", "example"),
    [
        ("iam", "policy", "policy/NAME", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("iam", "group", "group/NAME", "arn:aws:iam::123456789012:group/readers"),
        ("iam", "user", "user/NAME", "arn:aws:iam::123456789012:user/ada"),
        ("iam", "mfa", "mfa/NAME", "arn:aws:iam::123456789012:mfa/ada"),
    ],
)
def test_each_kind_of_iam_has_its_resource_and_a_right_example(
    service: str, kind: str, wanted: str, example: str
) -> None:
    message = arn_fault("arn:aws:iam::123456789012:cat/tom", service, kind)
    assert message is not None
    assert message.endswith(f": its resource is 'cat/tom' and must be {wanted}; write it like {example}")
    assert arn_fault(example, service, kind) is None
