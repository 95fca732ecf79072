"""Amazon Resource Names that settings name one by one: of IAM roles, policies, topics and keys.

An ARN is `arn:partition:service:region:account:resource`
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). Wildcards have no place in these;
the ARNs of a policy's statements, where they have, are in `documents.resources`.
"""

import re
from dataclasses import dataclass

from settings.nearest import did_you_mean
from settings.plain import shown

PARTITIONS = (
    "aws",
    "aws-cn",
    "aws-eusc",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
    "aws-us-gov",
)
"""AWS's partitions: the public regions, China, the European Sovereign Cloud, the isolated ones, GovCloud."""
FIELDS = 6
"""How many fields an ARN has; the last may hold colons of its own."""

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_ACCOUNT = re.compile(r"[0-9]{12}")
_NAME = r"[\w+=,.@-]"
# An IAM path is printable ASCII (slashes among it) up to a slash; here without star, colon and question mark.
_PATH = r"([!-)+-9;->@-~]*/)?"


@dataclass(frozen=True)
class _Kind:
    noun: str
    resource: str
    """The pattern of the last field."""
    wanted: str
    """The last field in words."""
    example: str
    regional: bool = False
    accounts: tuple[str, ...] = ()
    """Accounts that are not numbers: `aws` owns the managed policies that AWS maintains."""


_KINDS = {
    ("iam", "role"): _Kind(
        "an IAM role", rf"role/{_PATH}{_NAME}{{1,64}}", "role/NAME", "arn:aws:iam::123456789012:role/deploy"
    ),
    ("iam", "policy"): _Kind(
        "an IAM policy",
        rf"policy/{_PATH}{_NAME}{{1,128}}",
        "policy/NAME",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        accounts=("aws",),
    ),
    ("iam", "group"): _Kind(
        "an IAM group", rf"group/{_PATH}{_NAME}{{1,128}}", "group/NAME", "arn:aws:iam::123456789012:group/readers"
    ),
    ("iam", "user"): _Kind(
        "an IAM user", rf"user/{_PATH}{_NAME}{{1,64}}", "user/NAME", "arn:aws:iam::123456789012:user/ada"
    ),
    ("iam", "mfa"): _Kind(
        "an MFA device", rf"mfa/{_PATH}{_NAME}{{1,226}}", "mfa/NAME", "arn:aws:iam::123456789012:mfa/ada"
    ),
    ("sns", "topic"): _Kind(
        "an SNS topic",
        r"[\w-]{1,256}(\.fifo)?",
        "the topic's name",
        "arn:aws:sns:us-west-2:123456789012:alarms",
        regional=True,
    ),
    ("kms", "key"): _Kind(
        "a KMS key",
        r"key/(mrk-)?[0-9a-f-]{32,36}",
        "key/ID",
        "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        regional=True,
    ),
    ("kms", "alias"): _Kind(
        "a KMS alias",
        r"alias/[\w/-]{1,250}",
        "alias/NAME",
        "arn:aws:kms:us-west-2:123456789012:alias/state",
        regional=True,
    ),
}


def arn_fault(value: str, service: str, kind: str) -> str | None:
    """Says what is wrong with the ARN of one thing.

    Args:
        value: What should be the ARN.
        service: The service that it must belong to (`iam`, `sns`, `kms`).
        kind: What of that service it must name (`role`, `policy`, `group`, `user`, `mfa`; `topic`; `key`, `alias`).

    Returns:
        The rule that it breaks and an example of what would be right, or None.
    """
    form = _KINDS[service, kind]
    rule = _broken_rule(value, service, form)
    return rule and f"{shown(value)} is not the ARN of {form.noun}: {rule}; write it like {form.example}"


def _broken_rule(value: str, service: str, form: _Kind) -> str | None:
    fields = value.split(":", FIELDS - 1)
    if fields[0] != "arn" or len(fields) < FIELDS:
        return "an ARN is arn:partition:service:region:account:resource"
    _, partition, its_service, region, account, resource = fields
    if partition not in PARTITIONS:
        return f"{shown(partition)} is not a partition{did_you_mean(partition, PARTITIONS)}"
    if its_service != service:
        return f"its service is {shown(its_service)} and must be {service!r}"
    if not form.regional and region:
        return f"it names the region {shown(region)}, and IAM has none"
    if form.regional and not _REGION.fullmatch(region):
        return f"its region is {shown(region)}" if region else "its region is missing"
    if account not in form.accounts and not _ACCOUNT.fullmatch(account):
        return f"its account is {shown(account)} and must have 12 digits"
    if not re.fullmatch(form.resource, resource, re.ASCII):
        return f"its resource is {shown(resource)} and must be {form.wanted}"
    return None
