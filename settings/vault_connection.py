"""How to reach a stack's Vault, as Pulumi's Vault provider reaches it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from settings.plain import shown

_YES = {"1", "t", "true"}


def address_fault(address: object) -> str | None:
    """Says what is wrong with the address that a stack's file names; one that is left out, or a secret, is not."""
    if address is None or isinstance(address, dict):
        return None
    if isinstance(address, str) and re.fullmatch(r"https?://[\w.\-\[\]:]+(/.*)?", address, re.ASCII):
        return None
    return f"{shown(address)} is not a URL; write https://host, with the port if it has one"


@dataclass(frozen=True)
class VaultConnection:
    """The configuration's word comes first, the environment's second: the precedence of the provider.

    Source: https://www.pulumi.com/registry/packages/vault/installation-configuration/

    Attributes:
        address: Vault's address; empty if none is named.
        verify: A file or folder of certificates to trust, False for no check of the server's, or None for the
            default: `VAULT_CACERT`, `VAULT_CAPATH`, or what the system trusts.
        namespace: The namespace of Vault Enterprise, if any.
    """

    address: str
    verify: bool | str | None = None
    namespace: str | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "VaultConnection":
        """Reads it from configuration values by full key, and from the environment."""
        verify: bool | str | None = config.get("vault:caCertFile") or config.get("vault:caCertDir")
        if str(config.get("vault:skipTlsVerify") or os.environ.get("VAULT_SKIP_VERIFY") or "").lower() in _YES:
            verify = False
        return cls(
            address=str(config.get("vault:address") or os.environ.get("VAULT_ADDR") or ""),
            verify=verify,
            namespace=config.get("vault:namespace") or os.environ.get("VAULT_NAMESPACE"),
        )
