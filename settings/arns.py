"""ARNs in settings: whether a value is one of the right kind."""

import re

_FORMS = {
    ("iam", "role"): (r"\d{12}:role/[\w+=,.@/-]+", "arn:aws:iam::123456789012:role/deploy"),
    ("iam", "policy"): (r"(\d{12}|aws):policy/[\w+=,.@/-]+", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ("iam", "mfa"): (r"\d{12}:mfa/[\w+=,.@/-]+", "arn:aws:iam::123456789012:mfa/vault"),
}


def arn_fault(value: str, service: str, kind: str) -> str | None:
    """Says why a value is not the ARN of that kind of resource; None if it is.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    form, example = _FORMS[service, kind]
    if re.fullmatch(rf"arn:aws(-cn|-us-gov)?:{service}::{form}", value, re.ASCII):
        return None
    return f"{value!r} is not the ARN of an {service.upper()} {kind}; write one such as {example}"
