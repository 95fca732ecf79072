"""The AWS roles of a delivery pipeline, and the OIDC provider that vouches for its jobs."""

from collections.abc import Callable, Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

# AWS checks GitHub's certificate by its own list of authorities and no longer by this one, which old providers want
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html).
_THUMBPRINTS = ["6938fd4d98bab03faadb97b34396831e3780aea1"]


class DeliveryRole(TypedDict):
    """One role of `DeliveryRolesArgs`."""

    role_name: str
    """The IAM role's name."""

    trust_policy: Callable[[str], str]
    """Writes the trust policy, JSON, for the ARN of the OIDC provider."""

    policy: pulumi.Input[str]
    """What the role may do, JSON; an inline policy, of at most 10,240 characters without white space."""


class DeliveryRolesArgs(TypedDict):
    """Arguments of `DeliveryRoles`."""

    roles: Mapping[str, DeliveryRole]
    """The roles, by what they are for."""

    issuer: str
    """The address of the jobs' issuer, `https://token.actions.githubusercontent.com`."""

    audience: str
    """The audience that a job's token must name."""

    provider_arn: NotRequired[pulumi.Input[str] | None]
    """An OIDC provider that the account has: AWS takes one for an issuer. Default: one is made."""

    path: NotRequired[str]
    """The roles' IAM path, with a slash at both ends. Default: `/`."""


class DeliveryRoles(pulumi.ComponentResource):
    """Roles that jobs take on by the token of their run, so that no key of AWS stands among a repository's secrets.

    A session lasts at most an hour. A change of the policy holds for the sessions that there are.
    """

    provider_arn: pulumi.Output[str]
    """The OIDC provider's ARN."""

    role_arns: Mapping[str, pulumi.Output[str]]
    """The roles' ARNs, by what they are for."""

    def __init__(self, name: str, args: DeliveryRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:delivery:DeliveryRoles", name, None, opts)
        self.provider_arn = self._vouching(name, args)
        roles = {}
        for purpose, role in args["roles"].items():
            roles[purpose] = aws.iam.Role(
                f"{name}-{purpose}-role",
                name=role["role_name"],
                path=args.get("path"),
                description=f"{purpose} of a stack that gives out AWS credentials, by jobs of its repository",
                assume_role_policy=self.provider_arn.apply(role["trust_policy"]),
                max_session_duration=3600,
                opts=pulumi.ResourceOptions(parent=self),
            )
            aws.iam.RolePolicy(
                f"{name}-{purpose}-policy",
                name=purpose,
                role=roles[purpose].id,
                policy=role["policy"],
                opts=pulumi.ResourceOptions(parent=roles[purpose]),
            )
        self.role_arns = {purpose: role.arn for purpose, role in roles.items()}
        self.register_outputs({"providerArn": self.provider_arn, "roleArns": self.role_arns})

    def _vouching(self, name: str, args: DeliveryRolesArgs) -> pulumi.Output[str]:
        exists = args.get("provider_arn")
        if exists is not None:
            return pulumi.Output.from_input(exists)
        return aws.iam.OpenIdConnectProvider(
            f"{name}-oidc",
            url=args["issuer"],
            client_id_lists=[args["audience"]],
            thumbprint_lists=_THUMBPRINTS,
            opts=pulumi.ResourceOptions(parent=self),
        ).arn
