"""Waits until AWS accepts a new access key.

IAM is eventually consistent: for some seconds after its creation a key is refused with
`InvalidClientTokenId`. Vault does not wait (hashicorp/vault#3115), so a key that was given to it at once
would make every request for credentials fail meanwhile.
"""

import asyncio
import time

import pulumi

DEADLINE = 120.0
"""Seconds after which a key that AWS still refuses is an error; ten times what is usual."""

_NOT_YET = {"InvalidClientTokenId", "SignatureDoesNotMatch"}


def accepted_key(
    access_key: pulumi.Input[str],
    secret_key: pulumi.Input[str],
    region: pulumi.Input[str],
    sts_endpoint: pulumi.Input[str] | None,
) -> pulumi.Output[tuple[str, str]]:
    """The same key, as a secret, known only once `sts:GetCallerIdentity` succeeds with it.

    A preview does not wait: it asks nothing of AWS with Vault's key.
    """

    async def wait(values: list[str]) -> tuple[str, str]:
        key_id, secret, where, endpoint = values
        if not pulumi.runtime.is_dry_run():
            await asyncio.to_thread(_wait, key_id, secret, where, endpoint)
        return key_id, secret

    inputs = pulumi.Output.all(access_key, secret_key, region, sts_endpoint)
    return pulumi.Output.secret(inputs.apply(wait))


def _wait(access_key: str, secret_key: str, region: str, sts_endpoint: str | None) -> None:
    # A preview, which waits for nothing, need not load the AWS SDK: that is a third of its start.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    sts = boto3.client(
        "sts",
        region_name=region,
        endpoint_url=sts_endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2}),
    )
    deadline, pause = time.monotonic() + DEADLINE, 0.2
    while True:
        try:
            sts.get_caller_identity()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code not in _NOT_YET:
                raise pulumi.RunError(f"STS refuses the access key {access_key} of Vault's user: {code}") from None
            reason = code
        except BotoCoreError as error:
            reason = f"{type(error).__name__}"
        else:
            return
        if time.monotonic() > deadline:
            raise pulumi.RunError(
                f"AWS did not accept the access key {access_key} of Vault's user within {DEADLINE:.0f} s "
                f"({reason}); run the update again, and if it stays so check the region and the STS endpoint"
            )
        time.sleep(pause)
        pause = min(2 * pause, 5.0)
