"""The permissions boundary of the IAM users that an engine makes, as a managed policy."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws


class PermissionsBoundaryArgs(TypedDict):
    """Arguments of `PermissionsBoundary`."""

    policy_name: pulumi.Input[str]
    """The managed policy's name."""

    path: NotRequired[pulumi.Input[str]]
    """The managed policy's IAM path, with a slash at both ends. Default: `/`."""

    document: pulumi.Input[str]
    """The policy document, JSON, of at most 6,144 characters."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags on the policy. Default: none."""


class PermissionsBoundary(pulumi.ComponentResource):
    """A managed policy that bounds what users may do, whatever their own policies allow.

    A change of the document holds at once for every user that carries it, also those of leases that live. AWS
    does not delete the policy while a user carries it, so make the engine's mount depend on it: unmounting ends
    the leases first.
    """

    policy_arn: pulumi.Output[str]
    """The policy's ARN, for the roles."""

    def __init__(self, name: str, args: PermissionsBoundaryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:iam:PermissionsBoundary", name, None, opts)
        policy = aws.iam.Policy(
            f"{name}-policy",
            name=args["policy_name"],
            path=args.get("path"),
            description="What no credential from Vault may do, whatever its role allows",
            policy=args["document"],
            tags=args.get("tags"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.policy_arn = policy.arn
        self.register_outputs({"policyArn": self.policy_arn})
