"""Refuses to run in another account or against another Vault than those that the stack is for."""

import os
from collections.abc import Mapping
from typing import Any

import pulumi

from components.account import caller_account
from components.vault_cluster import NoVaultError, seal_status
from documents.stack import StackDocuments


def require_place(documents: StackDocuments, config: Mapping[str, Any]) -> None:
    """Asks Vault and AWS who they are, before anything else is asked of either.

    Args:
        documents: The stack's settings, with its pins.
        config: Configuration values by full key, of which those of Pulumi's Vault provider count here.

    Raises:
        pulumi.RunError: One of them is not the stack's, or does not answer. Nothing has been made then.
    """
    require_vault(documents, config)
    if documents.accounts:
        caller_account(documents.accounts)


def require_vault(documents: StackDocuments, config: Mapping[str, Any]) -> None:
    """Asks Vault which one it is, if the stack says for which it is.

    Raises:
        pulumi.RunError: It is another one, or does not answer.
    """
    pin = documents.settings.vault
    if not pin.pins:
        return
    # The provider's own precedence: configuration first.
    address = str(config.get("vault:address") or os.environ.get("VAULT_ADDR") or "")
    if not address:
        raise pulumi.RunError("nothing was changed; no Vault is named: set vault:address in the stack's file")
    try:
        message = pin.mismatch(address, seal_status(address, _verify(config)))
    except NoVaultError as error:
        raise pulumi.RunError(f"nothing was changed; {error}; check vault:address, and the certificate") from None
    if message:
        raise pulumi.RunError(f"nothing was changed; {message}; correct vault:address, or vault-aws:vault")


def _verify(config: Mapping[str, Any]) -> bool | str | None:
    skips = {str(config.get("vault:skipTlsVerify") or os.environ.get("VAULT_SKIP_VERIFY") or "").lower()}
    if skips & {"1", "t", "true"}:
        return False
    trusted = config.get("vault:caCertFile") or config.get("vault:caCertDir")
    return str(trusted) if trusted else None
