"""Which Vault answers at an address, asked without a token."""

from collections.abc import Mapping
from typing import Any


class NoVaultError(Exception):
    """No Vault answers; the text says where and why."""


def seal_status(address: str, verify: bool | str | None = None) -> Mapping[str, Any]:
    """What a Vault says of itself to everybody: with `cluster_name` and `cluster_id` unless it is sealed.

    A standby answers it too, and no token is sent: the wrong Vault must not get one
    (https://developer.hashicorp.com/vault/api-docs/system/seal-status).

    Args:
        address: Its address.
        verify: A file of certificates to trust, or whether to check the server's at all; by default as `VAULT_CACERT`
            and `VAULT_CAPATH` say.

    Raises:
        NoVaultError: Nothing answers there, or not as Vault does.
    """
    # The tools' start need not wait for the client where nothing is asked.
    import hvac  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    try:
        status = hvac.Client(url=address, token="", verify=verify, timeout=10).sys.read_seal_status()
    except (hvac.exceptions.VaultError, RequestException, ValueError) as error:
        raise NoVaultError(f"no Vault answers at {address} ({type(error).__name__})") from None
    if not isinstance(status, dict) or "sealed" not in status:
        raise NoVaultError(f"what answers at {address} is not a Vault")
    return status
