"""The AWS account in which the stack stands, as AWS itself says it."""

import re
from collections.abc import Collection

import pulumi
import pulumi_aws as aws

_REFUSED = re.compile(r"account ID not allowed: (\d{12})", re.IGNORECASE)
"""What the provider says where `aws:allowedAccountIds` names other accounts."""


def caller_account(allowed: Collection[str] = (), opts: pulumi.InvokeOptions | None = None) -> dict[str, str]:
    """Asks AWS whose credentials these are.

    Args:
        allowed: The accounts that may be meant; by default any.
        opts: The provider to ask; by default the stack's own.

    Returns:
        `account`, its 12 digits, and `partition` (`aws`, `aws-cn`, `aws-us-gov`).

    Raises:
        pulumi.RunError: They belong to an account that is not allowed, or AWS refuses them or does not answer. Nothing
            has been made then.
    """
    try:
        caller = aws.get_caller_identity(opts=opts)
    except Exception as error:  # an invoke that fails raises no narrower type
        reason = " ".join(str(error).split())
        if allowed and (other := _REFUSED.search(reason)):
            raise _not_allowed(other[1], allowed) from None
        raise pulumi.RunError(
            "nothing was changed; AWS does not say whose credentials these are, so check AWS_ACCESS_KEY_ID or "
            f"AWS_PROFILE and the stack's aws:region and aws:endpoints ({reason})"
        ) from None
    if allowed and caller.account_id not in allowed:
        raise _not_allowed(caller.account_id, allowed)
    return {"account": caller.account_id, "partition": caller.arn.split(":")[1]}


def _not_allowed(account: str, allowed: Collection[str]) -> pulumi.RunError:
    return pulumi.RunError(
        f"nothing was changed; the AWS credentials belong to account {account}, and this stack is for "
        f"{' or '.join(allowed)} (aws:allowedAccountIds); use credentials of that account"
    )
