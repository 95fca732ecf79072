"""The Vault that a stack belongs to, known by the cluster's name or id rather than by an address."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from settings.types import Model


class VaultPin(Model):
    """Which Vault the stack is for; another one is refused before anything is asked of it with a token."""

    cluster_name: Annotated[str, Field(min_length=1)] | None = None
    """The cluster's name, as `vault status` shows it (`cluster_name` of the server's configuration)."""
    cluster_id: Annotated[str, Field(min_length=1)] | None = None
    """The cluster's id, as `vault status` shows it; a Vault that is set up anew has another one."""

    @property
    def pins(self) -> bool:
        """Whether any Vault is named."""
        return bool(self.cluster_name or self.cluster_id)

    def mismatch(self, address: str, status: Mapping[str, Any]) -> str | None:
        """Says that a Vault is not the one that is named.

        Args:
            address: Its address.
            status: What its `sys/seal-status` says
                (https://developer.hashicorp.com/vault/api-docs/system/seal-status). A standby answers it as well,
                and nobody's token is asked for.

        Returns:
            The message, which names both; or None if it is the one.
        """
        for kind, wanted in (("cluster_name", self.cluster_name), ("cluster_id", self.cluster_id)):
            if wanted and status.get(kind) != wanted:
                found = f"has the {kind} {status[kind]!r}" if status.get(kind) else "is sealed and names no cluster"
                return f"the Vault at {address} {found}, and this stack is for {wanted!r}"
        return None
