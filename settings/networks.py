"""Networks in settings, in the spelling in which Vault gives them back, so that a preview shows no change."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator

from settings.plain import shown
from settings.types import rule_broken


def _cidr(value: str) -> str:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise rule_broken(f"{shown(value)} is not a network; write one such as 10.20.0.0/16") from None
    if network.prefixlen == 0:
        raise rule_broken(f"{shown(value)} is every address; name a network, or leave it out")
    if "/" in value and value != str(network):
        raise rule_broken(f"{shown(value)} is not how that network is written; write {str(network)!r}")
    return str(network)


def _token_cidr(value: str) -> str:
    network = ip_network(_cidr(value))
    return str(network.network_address) if network.num_addresses == 1 else str(network)


Cidr = Annotated[str, AfterValidator(_cidr)]
"""A network or one address, in CIDR notation."""
TokenCidr = Annotated[str, AfterValidator(_token_cidr)]
"""The same for tokens, where Vault writes one address without a mask."""
