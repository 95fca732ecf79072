"""A static role of Vault's AWS secrets engine: an existing IAM user whose key Vault rotates."""

from typing import TypedDict

import pulumi
import pulumi_vault as vault


class StaticRoleArgs(TypedDict):
    """Arguments of `StaticRole`."""

    mount: pulumi.Input[str]
    """The path of the engine's mount."""

    role_name: str
    """The static role's name in Vault."""

    user_name: pulumi.Input[str]
    """The IAM user's name; the user exists already."""

    rotation_period: pulumi.Input[int]
    """How long a key lives, in seconds; at least 60."""


class StaticRole(pulumi.ComponentResource):
    """One static role. Its first key is made with it; Vault deletes the current key with the role.

    Another rotation period replaces the role, and its key at once: Vault keeps on to the old period in its
    queue when the role is only updated (hashicorp/vault#21967). Make it depend on the policy that lets Vault
    change the user's keys: the role then goes first, while Vault can still delete its key.
    """

    creds_path: pulumi.Output[str]
    """The path from which its credentials are read."""

    def __init__(self, name: str, args: StaticRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:role:StaticRole", name, None, opts)
        role = vault.aws.SecretBackendStaticRole(
            f"{name}-static-role",
            backend=args["mount"],
            name=args["role_name"],
            username=args["user_name"],
            rotation_period=args["rotation_period"],
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True, replace_on_changes=["rotationPeriod"]),
        )
        self.creds_path = pulumi.Output.all(args["mount"], role.id).apply(
            lambda values: f"{values[0]}/static-creds/{args['role_name']}"
        )
        self.register_outputs({"credsPath": self.creds_path})
