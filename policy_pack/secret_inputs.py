"""The rule that secrets are encrypted in Pulumi's state."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_policy import Secret

from policy_pack.values import Props

_SECRET_NAMES = re.compile(
    r"secret(Key|Id|Access)?(Wo)?|(access)?token|password(Wo)?|passphrase|privateKey|clientSecret", re.IGNORECASE
)
_SECRET_IN_JSON = re.compile(r"secret_?(key|id)?|secret_access_key|token|password|private_key|client_secret")
_JSON = ("dataJson", "dataJsonWo")


def plain_secrets(props: Props) -> Iterator[str]:
    """Names the secrets among a resource's inputs that are not encrypted.

    Args:
        props: The inputs, each encrypted one of type `pulumi_policy.Secret`.
    """
    for name, value in props.items():
        if isinstance(value, Secret) or value in (None, ""):
            continue
        if _SECRET_NAMES.fullmatch(name) or (name in _JSON and _holds_secret(value)):
            yield name
        elif isinstance(value, Mapping):
            yield from (f"{name}.{inner}" for inner in plain_secrets(value))


def sentence(kind: str, name: str, field: str) -> str:
    """What is said of one of them."""
    return (
        f"{field} of {name} ({kind}) is a secret and would stand in the state as plain text; make it a secret with "
        "pulumi.Output.secret, or `pulumi config set --secret`."
    )


def _holds_secret(value: Any) -> bool:  # noqa: ANN401 - any property's value
    try:
        content = json.loads(value)
    except (TypeError, ValueError):
        return False
    return isinstance(content, dict) and any(
        _SECRET_IN_JSON.fullmatch(key) and value not in (None, "") for key, value in content.items()
    )
