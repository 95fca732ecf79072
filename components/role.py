"""A role of Vault's AWS secrets engine: what credentials are made for whoever may read it."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault


class RoleArgs(TypedDict):
    """Arguments of `Role`. Which fields a credential type takes is Vault's rule.

    Source: https://developer.hashicorp.com/vault/api-docs/secret/aws#create-update-role
    """

    mount: pulumi.Input[str]
    """The path of the engine's mount."""

    role_name: str
    """The role's name in Vault."""

    credential_type: str
    """`iam_user`, `assumed_role`, `federation_token` or `session_token`."""

    policy_document: NotRequired[pulumi.Input[str] | None]
    """The IAM policy document, JSON. Not for session_token."""

    policy_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """Managed policies. Not for session_token."""

    iam_groups: NotRequired[Sequence[pulumi.Input[str]]]
    """IAM groups by name. Not for session_token."""

    iam_tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags on the IAM user. iam_user only."""

    user_path: NotRequired[pulumi.Input[str]]
    """The IAM user's path. iam_user only."""

    permissions_boundary_arn: NotRequired[pulumi.Input[str] | None]
    """The IAM user's permissions boundary. iam_user only."""

    default_sts_ttl: NotRequired[pulumi.Input[int] | None]
    """A session's life in seconds unless asked otherwise. assumed_role and federation_token only."""

    max_sts_ttl: NotRequired[pulumi.Input[int] | None]
    """The longest session in seconds. assumed_role and federation_token only."""

    role_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """IAM roles that may be assumed. assumed_role only."""

    session_tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Session tags. assumed_role only; Vault 1.17 or later."""

    external_id: NotRequired[pulumi.Input[str] | None]
    """The external id for the IAM role's trust policy. assumed_role only; Vault 1.17 or later."""

    mfa_serial_number: NotRequired[pulumi.Input[str] | None]
    """The MFA device of Vault's user. session_token only; Vault 1.16 or later."""


class Role(pulumi.ComponentResource):
    """One role. Deleting it leaves its leases alive until they expire or are revoked (hashicorp/vault#1243)."""

    creds_path: pulumi.Output[str]
    """The path from which its credentials are read."""

    def __init__(self, name: str, args: RoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:role:Role", name, None, opts)
        role = self._session_token(name, args) if args["credential_type"] == "session_token" else self._role(name, args)
        self.creds_path = pulumi.Output.all(args["mount"], role.id).apply(
            lambda values: f"{values[0]}/creds/{args['role_name']}"
        )
        self.register_outputs({"credsPath": self.creds_path})

    def _role(self, name: str, args: RoleArgs) -> pulumi.CustomResource:
        return vault.aws.SecretBackendRole(
            f"{name}-role",
            backend=args["mount"],
            name=args["role_name"],
            credential_type=args["credential_type"],
            policy_document=args.get("policy_document"),
            policy_arns=args.get("policy_arns"),
            iam_groups=args.get("iam_groups"),
            iam_tags=args.get("iam_tags"),
            user_path=args.get("user_path"),
            permissions_boundary_arn=args.get("permissions_boundary_arn"),
            default_sts_ttl=args.get("default_sts_ttl"),
            max_sts_ttl=args.get("max_sts_ttl"),
            role_arns=args.get("role_arns"),
            session_tags=args.get("session_tags"),
            external_id=args.get("external_id"),
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _session_token(self, name: str, args: RoleArgs) -> pulumi.CustomResource:
        # SecretBackendRole demands a policy, which Vault forbids for this type.
        data = {
            "credential_type": args["credential_type"],
            "mfa_serial_number": args.get("mfa_serial_number"),
        }
        return vault.generic.Endpoint(
            f"{name}-role",
            path=pulumi.Output.concat(args["mount"], "/roles/", args["role_name"]),
            data_json=pulumi.Output.json_dumps({key: value for key, value in data.items() if value is not None}),
            ignore_absent_fields=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
