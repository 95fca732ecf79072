"""The Vault policies of one secrets engine."""

from collections.abc import Mapping
from typing import TypedDict

import pulumi
import pulumi_vault as vault


class VaultPoliciesArgs(TypedDict):
    """Arguments of `VaultPolicies`."""

    policies: Mapping[str, pulumi.Input[str]]
    """The text of each policy by its name, which Vault wants in lower case."""


class VaultPolicies(pulumi.ComponentResource):
    """Policies to be held by tokens. They grant nothing until something gives them to a token."""

    names: pulumi.Output[list[str]]
    """The policies' names, once all of them exist."""

    def __init__(self, name: str, args: VaultPoliciesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:access:VaultPolicies", name, None, opts)
        policies = [
            vault.Policy(policy, name=policy, policy=text, opts=pulumi.ResourceOptions(parent=self))
            for policy, text in args["policies"].items()
        ]
        self.names = pulumi.Output.all(*(policy.name for policy in policies)).apply(lambda names: list(map(str, names)))
        self.register_outputs({"names": self.names})
