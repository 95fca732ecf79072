"""Settings of the auth methods that the stack mounts; those that exist already are only named by bindings."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from settings.types import Model, MountPath, matches, rule_broken, unique

AuthPath = Annotated[
    MountPath, matches(r"(?!token(/|$)).*", "is where Vault's own tokens are; name another path, such as approle")
]
"""The path of an auth method, without `auth/`."""

_HttpsUrl = Annotated[
    str,
    matches(
        r"https://[\w.\-\[\]:]+(/.*)?",
        "is not an https URL; Vault takes proof of who a caller is from there, so nobody else must answer",
    ),
]
_PEM = re.compile(
    r"\s*(-----BEGIN (?P<kind>CERTIFICATE|PUBLIC KEY)-----[\w+/=\s]+-----END (?P=kind)-----\s*)+", re.ASCII
)


def _pem(value: str) -> str:
    if not _PEM.fullmatch(value):
        # What it is may be a private key, so it is not shown.
        raise rule_broken(
            "is not a certificate or public key in PEM form; write it from -----BEGIN to the end of -----END …-----"
        )
    # Vault gives keys back without the space around them.
    return value.strip()


Pem = Annotated[str, AfterValidator(_pem)]


class _Method(Model):
    def vault_fields(self) -> dict[str, Any]:
        """What its component takes, but for the path."""
        return self.model_dump(exclude_none=True)


class AppRoleMethod(_Method):
    """A mount of AppRole."""

    type: Literal["approle"]
    """Role ids and secret ids."""


class JwtMethod(_Method):
    """A mount that takes JWTs of one issuer."""

    type: Literal["jwt"]
    """Signed tokens of one issuer."""
    bound_issuer: Annotated[str, Field(min_length=1)]
    """The issuer (`iss`) that every token must name."""
    oidc_discovery_url: _HttpsUrl | None = None
    """The issuer's address, where its keys are found by OIDC Discovery."""
    jwks_url: _HttpsUrl | None = None
    """The address of the issuer's keys."""
    validation_public_keys: Annotated[list[Pem], AfterValidator(unique)] = []
    """The issuer's public keys themselves, PEM."""
    ca_certificate: Pem | None = None
    """The CA of that address, PEM; by default those that the Vault server trusts."""

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        sources = [self.oidc_discovery_url, self.jwks_url, self.validation_public_keys or None]
        if sum(source is not None for source in sources) != 1:
            raise rule_broken("write one of oidcDiscoveryUrl, jwksUrl and validationPublicKeys")
        if self.ca_certificate is not None and self.validation_public_keys:
            raise rule_broken("caCertificate goes with oidcDiscoveryUrl or jwksUrl; remove it")
        return self


class KubernetesMethod(_Method):
    """A mount that takes the service accounts' tokens of one cluster."""

    type: Literal["kubernetes"]
    """Service accounts of one cluster."""
    host: _HttpsUrl
    """The address of the cluster's API."""
    ca_certificate: Pem | None = None
    """The cluster's CA, PEM, for a Vault outside the cluster, which then asks the cluster with the caller's own
    token; by default Vault runs in the cluster and takes its pod's CA and token."""


AuthMethod = Annotated[AppRoleMethod | JwtMethod | KubernetesMethod, Field(discriminator="type")]
METHOD_TYPES: dict[str, type[_Method]] = {
    "approle": AppRoleMethod,
    "jwt": JwtMethod,
    "kubernetes": KubernetesMethod,
}
