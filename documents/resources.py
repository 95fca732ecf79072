"""Resources of a statement: `*`, or an ARN with wildcards, placeholders and policy variables.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html, and for
what IAM refuses "IAM policy validation check reference" in the same guide. Vault does not look into a policy,
so AWS would refuse these only in front of the consumer of a credential.
"""

import re

from documents.placeholders import VARIABLE
from documents.wording import shown
from settings.arns import FIELDS, PARTITIONS
from settings.nearest import did_you_mean

_FORM = "arn:partition:service:region:account:resource"
_SERVICE = re.compile(r"[a-z0-9-]+")
_REGION = re.compile(r"([a-z0-9*?-]|\$\{region\})*|\$\{[^}]*:.*\}")
# An account may be a name: `aws` owns managed policies, and services own resources.
_ACCOUNT = re.compile(r"(\d{12}|[a-z][a-z-]*|[\d*?]*[*?][\d*?]*|\$\{account\}|\$\{[^}]*:.*\})?", re.ASCII)

_IAM_KINDS = (
    "access-report/",
    "assumed-role/",
    "contextProvider/",
    "delegation-request/",
    "federated-user/",
    "group/",
    "instance-profile/",
    "mfa/",
    "oidc-provider/",
    "policy/",
    "report/",
    "role/",
    "role-template/",
    "root",
    "saml-provider/",
    "server-certificate/",
    "sms-mfa/",
    "user/",
)
# Buckets and objects are named alone; what S3 has beside them lives in a region and an account.
_S3_REGIONAL = re.compile(r"(accesspoint|access-grants|async-request|job|storage-lens|storage-lens-group)[/:*]|\*")


def resource_fault(resource: str) -> str | None:
    """Says what AWS would refuse in a resource of an identity policy, or None."""
    if resource == "*":
        return None
    fields = _fields(resource)
    if fields[0] != "arn":
        return f"{shown(resource)} is not a resource; write '*' or an ARN: {_FORM}"
    if len(fields) < FIELDS:
        whole = ":".join([*fields, *["*"] * (FIELDS - len(fields))])
        return f"{shown(resource)} is a part of an ARN; write it whole ({_FORM}), such as {shown(whole)}"
    if rule := _broken_rule(*fields[1:]):
        return f"{shown(resource)}: {rule}"
    return None


def _fields(resource: str) -> list[str]:
    """Splits at the colons outside `${…}`."""
    masked = VARIABLE.sub(lambda match: match[0].replace(":", "\0"), resource)
    return [field.replace("\0", ":") for field in masked.split(":", FIELDS - 1)]


def _broken_rule(partition: str, service: str, region: str, account: str, resource: str) -> str | None:
    if partition not in {*PARTITIONS, "${partition}", "*"}:
        return f"{shown(partition)} is not a partition{did_you_mean(partition, PARTITIONS)}"
    if not _SERVICE.fullmatch(service):
        return f"{shown(service)} is not a service; write its name in lower case, without wildcards"
    if not _REGION.fullmatch(region):
        return f"{shown(region)} is not a region; write one such as us-west-2, '${{region}}' or '*'"
    if not _ACCOUNT.fullmatch(account):
        return f"{shown(account)} is not an account; write its 12 digits, '${{account}}' or '*'"
    if not resource:
        return "the resource after the fifth colon is missing; name it, or write '*'"
    if service == "iam":
        return _broken_iam_rule(region, resource)
    if service == "s3" and region and not _S3_REGIONAL.match(resource):
        return "the ARN of a bucket or object has no region; write it like arn:aws:s3:::BUCKET/KEY"
    return None


def _broken_iam_rule(region: str, resource: str) -> str | None:
    if region:
        return f"IAM has no regions; leave out {shown(region)}, and keep the colons"
    if resource != "*" and not resource.startswith(_IAM_KINDS):
        kinds = ", ".join(_IAM_KINDS)
        return f"a resource of IAM is '*' or begins with one of {kinds}"
    return None
