"""The roles of one AWS secrets engine: what credentials are made for whoever may read them."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault


class RoleArgs(TypedDict):
    """One role of `RolesArgs`. Which fields a credential type takes is Vault's rule.

    Source: https://developer.hashicorp.com/vault/api-docs/secret/aws#create-update-role
    """

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


class RolesArgs(TypedDict):
    """Arguments of `Roles`."""

    mount: pulumi.Input[str]
    """The path of the engine's mount."""

    roles: Mapping[str, RoleArgs]
    """The roles by their names in Vault."""


class Roles(pulumi.ComponentResource):
    """Roles of one mount. Deleting one leaves its leases alive until they expire or are revoked (hashicorp/vault#1243).

    One component for all of them: a component for each was a third of the resources of a large stack, and of the time
    that its previews take.
    """

    creds_paths: Mapping[str, pulumi.Output[str]]
    """The path from which a role's credentials are read, by role name."""

    def __init__(self, name: str, args: RolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:role:Roles", name, None, opts)
        # Until it became one component for all, each role was in one of its own, whose parent was the engine.
        engine = f"{opts.parent.pulumi_resource_type}$" if opts and opts.parent else ""
        self._before = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{engine}vault-aws:role:Role"
        self.creds_paths = {
            role: self._creds_path(args["mount"], role, fields) for role, fields in args["roles"].items()
        }
        self.register_outputs({"credsPaths": self.creds_paths})

    def _creds_path(self, mount: pulumi.Input[str], name: str, fields: RoleArgs) -> pulumi.Output[str]:
        make = self._session_token if fields["credential_type"] == "session_token" else self._role
        role = make(mount, name, fields)
        return pulumi.Output.all(mount, role.id).apply(lambda values: f"{values[0]}/creds/{name}")

    def _role(self, mount: pulumi.Input[str], name: str, fields: RoleArgs) -> pulumi.CustomResource:
        return vault.aws.SecretBackendRole(
            f"{name}-role",
            backend=mount,
            name=name,
            credential_type=fields["credential_type"],
            policy_document=fields.get("policy_document"),
            policy_arns=fields.get("policy_arns"),
            iam_groups=fields.get("iam_groups"),
            iam_tags=fields.get("iam_tags"),
            user_path=fields.get("user_path"),
            permissions_boundary_arn=fields.get("permissions_boundary_arn"),
            default_sts_ttl=fields.get("default_sts_ttl"),
            max_sts_ttl=fields.get("max_sts_ttl"),
            role_arns=fields.get("role_arns"),
            session_tags=fields.get("session_tags"),
            external_id=fields.get("external_id"),
            opts=pulumi.ResourceOptions(
                parent=self,
                aliases=self._former(name, "vault:aws/secretBackendRole:SecretBackendRole"),
                delete_before_replace=True,
            ),
        )

    def _session_token(self, mount: pulumi.Input[str], name: str, fields: RoleArgs) -> pulumi.CustomResource:
        # SecretBackendRole demands a policy, which Vault forbids for this type.
        data = {
            "credential_type": fields["credential_type"],
            "mfa_serial_number": fields.get("mfa_serial_number"),
        }
        return vault.generic.Endpoint(
            f"{name}-role",
            path=pulumi.Output.concat(mount, "/roles/", name),
            data_json=pulumi.Output.json_dumps({key: value for key, value in data.items() if value is not None}),
            ignore_absent_fields=True,
            opts=pulumi.ResourceOptions(parent=self, aliases=self._former(name, "vault:generic/endpoint:Endpoint")),
        )

    def _former(self, name: str, type_: str) -> list[str]:
        # Written out: an alias that Pulumi makes up from a parent costs a large stack a tenth of its time.
        return [f"{self._before}${type_}::{name}-role"]
