"""What the program asks of Pulumi's SDK itself."""

import gc
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


def spare_garbage_collection() -> None:
    """Keeps Python from looking for garbage in cycles: a program that declares and ends leaves next to none.

    Each look goes through all that lives, which only grows: a sixth of the program's time on a stack of 500 roles.
    """
    gc.disable()


def _nothing(
    msg: str, resource: pulumi.Resource | None = None, stream_id: int | None = None, ephemeral: bool | None = None
) -> None:
    """Takes what `pulumi.log.debug` takes."""
