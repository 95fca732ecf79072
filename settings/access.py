"""Settings of access: who may read which role's credentials, by which proof of who they are.

A binding that anybody could use is refused here: a role whose consumer is not named has none.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from settings.auth_methods import AuthPath
from settings.claims import BoundClaims, bound_claims_fault, identifies
from settings.durations import Duration, format_duration
from settings.networks import Cidr, TokenCidr
from settings.plain import shown
from settings.types import Model, matches, rule_broken, unique


class _Login(Model):
    """What all ways to log in have: the tokens that they give."""

    token_ttl: Duration = 3600
    """How long a token lives unless it is renewed. With a token end the leases that it asked for."""
    token_max_ttl: Duration = 4 * 3600
    """How long a token lives at most."""
    token_bound_cidrs: Annotated[list[TokenCidr], AfterValidator(unique)] = []
    """The networks from which a token may be used; by default any."""

    @model_validator(mode="after")
    def _ttls(self) -> Self:
        if self.token_ttl > self.token_max_ttl:
            raise rule_broken(
                f"tokenTtl ({format_duration(self.token_ttl)}) is over tokenMaxTtl "
                f"({format_duration(self.token_max_ttl)}); lower it, or raise tokenMaxTtl"
            )
        return self


class AppRole(_Login):
    """Whoever holds the role id and a secret id; the stack makes no secret ids."""

    mount: AuthPath = "approle"
    """The path of the AppRole auth method."""
    secret_id_ttl: Duration = 24 * 3600
    """How long a secret id may be used."""
    secret_id_num_uses: Annotated[int, Field(ge=0)] = 0
    """How often a secret id may be used; 0 for as often as its holder likes."""
    secret_id_bound_cidrs: Annotated[list[Cidr], AfterValidator(unique)] = []
    """The networks from which a secret id may be used; by default any."""


class Jwt(_Login):
    """Whoever shows a signed token with these audiences, this subject and these claims."""

    mount: AuthPath = "jwt"
    """The path of the JWT auth method."""
    bound_audiences: Annotated[
        list[Annotated[str, matches(r"[^*\s]+", "cannot be an audience; write the token's `aud`, without *")]],
        AfterValidator(unique),
        Field(min_length=1),
    ]
    """The audiences of which the token must name one: for whom it was made."""
    bound_subject: str | None = None
    """The token's subject, exact."""
    bound_claims: BoundClaims = {}
    """Claims that the token must have, each with one of these values."""
    bound_claims_type: Literal["string", "glob"] = "string"
    """Whether the values of claims are exact, or `*` stands for any text in them."""
    user_claim: Annotated[str, Field(min_length=1)] = "sub"
    """The claim that names the caller in Vault's audit log."""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        glob = self.bound_claims_type == "glob"
        if self.bound_subject is not None and (not self.bound_subject.strip() or "*" in self.bound_subject):
            raise rule_broken(
                f"boundSubject {shown(self.bound_subject)} is not one subject; write it in full, or match it with "
                "boundClaims: {sub: …} and boundClaimsType: glob"
            )
        if message := bound_claims_fault(self.bound_claims, glob=glob):
            raise rule_broken(message)
        if self.bound_subject is None and not identifies(self.bound_claims, glob=glob):
            raise rule_broken(
                "lets in everyone to whom the issuer gives tokens; write boundSubject, or in boundClaims one that "
                "says who the caller is, such as sub or repository, without a * before its owner"
            )
        return self


class Kubernetes(_Login):
    """Pods with these service accounts."""

    mount: AuthPath = "kubernetes"
    """The path of the Kubernetes auth method."""
    service_accounts: Annotated[
        list[
            Annotated[
                str, matches(r"[a-z0-9.*-]{1,253}", "is not a service account's name; lower-case, as kubectl does")
            ]
        ],
        AfterValidator(unique),
        Field(min_length=1),
    ]
    """The names of the service accounts; `*` for all of these namespaces."""
    namespaces: Annotated[
        list[
            Annotated[
                str,
                matches(
                    r"[a-z0-9][a-z0-9*-]{0,62}",
                    "lets in whoever may make a namespace, or is none; name the namespace, or begin with its name",
                ),
            ]
        ],
        AfterValidator(unique),
        Field(min_length=1),
    ]
    """Their namespaces."""
    audience: Annotated[str, Field(min_length=1)] | None = None
    """The audience that the pod's token must name."""


class Group(Model):
    """People, by a group of theirs: one that an auth method reports, or the entities named here."""

    mount: AuthPath | None = None
    """The path of the auth method that reports the group."""
    alias: (
        Annotated[
            str, matches(r"[^\s*]([^*]*[^\s*])?", "is not a group's name; write it as the auth method reports it")
        ]
        | None
    ) = None
    """The group's name there."""
    entities: Annotated[
        list[
            Annotated[
                str,
                matches(
                    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                    "is not the id of a Vault entity; write it as `vault list identity/entity/id` does",
                ),
            ]
        ],
        AfterValidator(unique),
    ] = []
    """Vault's own ids of the members."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.alias is None) != (self.mount is None) or bool(self.entities) == (self.alias is not None):
            raise rule_broken("a group is either mount and alias, or entities; write one of these")
        return self


class Binding(Model):
    """Some roles, and who may read their credentials."""

    roles: Annotated[list[str], AfterValidator(unique)] = []
    """The roles."""
    operator_of: Annotated[list[str], AfterValidator(unique)] = []
    """The engines whose operator this is: rotates the key, sees and revokes leases, reads the configuration."""
    app_role: AppRole | None = None
    """By AppRole."""
    jwt: Jwt | None = None
    """By a JWT, such as that of a GitHub Actions job."""
    kubernetes: Kubernetes | None = None
    """By a Kubernetes service account."""
    group: Group | None = None
    """By membership in a group."""

    @property
    def method(self) -> str:
        """The field that is set, of the four ways."""
        return next(name for name in WAYS if getattr(self, name) is not None)

    @property
    def mount(self) -> str | None:
        """The path of its auth method; None for a group of entities."""
        path: str | None = getattr(self, self.method).mount
        return path

    def vault_fields(self) -> dict[str, Any]:
        """What its component takes, but for the policies and the mount."""
        fields: dict[str, Any] = getattr(self, self.method).model_dump(exclude={"mount"})
        return {name: value for name, value in fields.items() if value not in (None, [], {})}

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in WAYS if getattr(self, name) is not None]
        if len(ways) != 1:
            raise rule_broken(
                f"has {len(ways) or 'none'} of appRole, jwt, kubernetes and group; write one of them"
                + ("" if not ways else ", and a binding for each other")
            )
        if not self.roles and not self.operator_of:
            raise rule_broken("grants nothing; name roles, or operatorOf")
        return self


WAYS: dict[str, type[Model]] = {"app_role": AppRole, "jwt": Jwt, "kubernetes": Kubernetes, "group": Group}
"""The ways in which a binding says who, by field."""


OPERATOR = "operator"
"""The last word of an operator policy's name."""


def policy_name(mount: str, holder: str) -> str:
    """The name of the Vault policy of a role, or of the operator, of a mount.

    Vault writes the names of policies in lower case
    (https://developer.hashicorp.com/vault/api-docs/system/policies).
    """
    return f"{mount.replace('/', '-')}-{holder}".lower()


@dataclass(frozen=True)
class Holder:
    """Whose Vault policy it is.

    Attributes:
        place: The field of the settings that names it.
        mount: The path of the engine's mount.
        name: A role's name, or `operator`.
    """

    place: str
    mount: str
    name: str
