"""Refuses to run against another Vault than the one that the stack is for."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.vault_cluster import NoVaultError, seal_status
from documents.stack import StackDocuments
from settings.vault_connection import VaultConnection


def require_vault(documents: StackDocuments, config: Mapping[str, Any]) -> None:
    """Asks Vault which one it is, if the stack says for which it is, before anything else is asked of it.

    Args:
        documents: The stack's settings, with its pin.
        config: Configuration values by full key, of which those of Pulumi's Vault provider count here.

    Raises:
        pulumi.RunError: It is another one, or does not answer.
    """
    pin = documents.settings.vault
    if not pin.pins:
        return
    vault = VaultConnection.of(config)
    if not vault.address:
        raise pulumi.RunError("nothing was changed; no Vault is named: set vault:address in the stack's file")
    try:
        message = pin.mismatch(vault.address, seal_status(vault.address, vault.verify))
    except NoVaultError as error:
        raise pulumi.RunError(f"nothing was changed; {error}; check vault:address, and the certificate") from None
    if message:
        raise pulumi.RunError(f"nothing was changed; {message}; correct vault:address, or vault-aws:vault")
