"""Settings of the roles: one class a credential type, with the fields that the type takes.

Source: https://developer.hashicorp.com/vault/api-docs/secret/aws#create-update-role
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from settings.durations import Duration
from settings.exemptions import Exemption
from settings.types import GroupName, IamPath, Model, PolicyArn, RoleArn, Tags, arn_of, matches, unique

SHORTEST_SESSION = 900
"""The shortest session that STS makes, in seconds
(https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html)."""


class Probe(Model):
    """An API call with which `make verify` tries a credential."""

    call: Annotated[str, matches(r"[a-z0-9-]+:[A-Za-z0-9]+", "is not an API call; write s3:GetObject, say")]
    """Service and operation, such as `s3:GetObject`."""
    with_: Annotated[dict[str, Any], Field(alias="with")] = {}
    """The operation's parameters, as the AWS API names them."""


class Probes(Model):
    """What a role's credential must and must not be able to do."""

    allowed: list[Probe] = []
    """Calls that must succeed."""
    denied: list[Probe] = []
    """Calls that AWS must refuse."""


class _Role(Model):
    engine: str | None = None
    """The engine it belongs to; may be left out where there is one."""
    probes: Probes = Probes()
    """What `make verify` tries with its credential."""

    def vault_fields(self) -> dict[str, Any]:
        """What Vault's role endpoint takes of it, by Vault's names; nothing that is empty."""
        fields = self.model_dump(exclude={"engine", "exemptions", "probes", "policy"})
        return {name: value for name, value in fields.items() if value not in (None, [], {})}


class _WithPolicies(_Role):
    policy: str | None = None
    """A file in policies/ with the IAM policy document."""
    exemptions: list[Exemption] = []
    """What the policy is let off; each with a reason and an end."""
    policy_arns: Annotated[list[PolicyArn], AfterValidator(unique), Field(max_length=10)] = []
    """Managed policies."""
    iam_groups: Annotated[list[GroupName], AfterValidator(unique), Field(max_length=10, alias="groups")] = []
    """IAM groups that exist: joined by an IAM user, their policies sent with a session."""


class _WithSession(_WithPolicies):
    longest_session: ClassVar[int]
    default_sts_ttl: Annotated[Duration, Field(ge=SHORTEST_SESSION)] | None = None
    """How long a session lives unless asked otherwise; by default the engine's `defaultLeaseTtl`."""
    max_sts_ttl: Annotated[Duration, Field(ge=SHORTEST_SESSION)] | None = None
    """The longest session that may be asked for; by default the engine's `maxLeaseTtl`."""


class IamUserRole(_WithPolicies):
    """A role whose credential is the key of an IAM user made for the lease."""

    credential_type: Literal["iam_user"]
    """A new IAM user for each lease."""
    iam_tags: Annotated[Tags, Field(alias="tags")] = {}
    """Tags on the IAM user."""
    user_path: IamPath = "/"
    """The IAM user's path."""
    permissions_boundary_arn: Annotated[PolicyArn | None, Field(alias="permissionsBoundary")] = None
    """The managed policy that bounds what the IAM user may do."""


class AssumedRole(_WithSession):
    """A role whose credential is a session of an existing IAM role."""

    longest_session: ClassVar[int] = 12 * 3600
    credential_type: Literal["assumed_role"]
    """A session of an IAM role."""
    role_arns: Annotated[list[RoleArn], AfterValidator(unique), Field(min_length=1)]
    """The IAM roles that may be assumed; with more than one, a consumer names one."""
    session_tags: Tags = {}
    """Session tags. Vault 1.17 or later."""
    external_id: (
        Annotated[
            str,
            matches(r"[\w+=,.@:/-]{2,1224}", "is not an external id; write 2 to 1,224 letters, digits and +=,.@:/_-"),
        ]
        | None
    ) = None
    """The external id that the IAM role's trust policy asks for. Vault 1.17 or later."""


class FederationTokenRole(_WithSession):
    """A role whose credential is a federated session of Vault's own IAM user."""

    longest_session: ClassVar[int] = 36 * 3600
    credential_type: Literal["federation_token"]
    """A federated session of Vault's user, narrowed by the policy."""


class SessionTokenRole(_Role):
    """A role whose credential is a session with all of Vault's user's rights. Vault 1.16 or later."""

    credential_type: Literal["session_token"]
    """A session of Vault's user itself."""
    mfa_serial_number: Annotated[str, arn_of("iam", "mfa")] | None = None
    """The MFA device that must confirm each request."""


Role = Annotated[
    IamUserRole | AssumedRole | FederationTokenRole | SessionTokenRole, Field(discriminator="credential_type")
]
ROLE_TYPES: dict[str, type[_Role]] = {
    "iam_user": IamUserRole,
    "assumed_role": AssumedRole,
    "federation_token": FederationTokenRole,
    "session_token": SessionTokenRole,
}
