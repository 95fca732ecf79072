"""The AWS account in which the stack stands, as AWS itself says it."""

import pulumi
import pulumi_aws as aws


def caller_account(opts: pulumi.InvokeOptions | None = None) -> dict[str, str]:
    """Asks AWS whose credentials these are.

    Args:
        opts: The provider to ask; by default the stack's own.

    Returns:
        `account`, its 12 digits, and `partition` (`aws`, `aws-cn`, `aws-us-gov`).

    Raises:
        pulumi.RunError: AWS refuses the credentials or does not answer. Nothing has been made then.
    """
    try:
        caller = aws.get_caller_identity(opts=opts)
    except Exception as error:  # an invoke that fails raises no narrower type
        reason = " ".join(str(error).split())
        raise pulumi.RunError(
            "nothing was changed; AWS does not say whose credentials these are, so check AWS_ACCESS_KEY_ID or "
            f"AWS_PROFILE and the stack's aws:region and aws:endpoints ({reason})"
        ) from None
    return {"account": caller.account_id, "partition": caller.arn.split(":")[1]}
