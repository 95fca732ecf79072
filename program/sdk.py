"""What the program asks of Pulumi's SDK itself."""

import os

import pulumi

KEEP = "VAULT_AWS_SDK_DEBUG"
"""The environment variable that, set to anything, keeps the SDK's debug messages."""


def spare_debug_messages() -> None:
    """Keeps the SDK from telling the engine of each step of each resource, unless `VAULT_AWS_SDK_DEBUG` is set.

    Only `pulumi up --debug` shows these messages, and a program is not told of that flag. Each is a call that
    the program waits for, several for a resource: a third of its time on a stack of 500 roles.
    """
    if not os.environ.get(KEEP):
        pulumi.log.debug = _nothing


def _nothing(
    msg: str, resource: pulumi.Resource | None = None, stream_id: int | None = None, ephemeral: bool | None = None
) -> None:
    """Takes what `pulumi.log.debug` takes."""
