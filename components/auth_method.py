"""An auth method of Vault: how callers prove who they are."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault

DESCRIPTION = "for readers of AWS credentials"
"""What `vault auth list` shows. It is always the same: the provider writes a change to some types alone."""


class AuthMethodArgs(TypedDict):
    """Arguments of `AuthMethod`. What a type does not name below, it does not take."""

    path: str
    """Where it is mounted, without `auth/`."""

    type: str
    """`approle`, `jwt` or `kubernetes`."""

    bound_issuer: NotRequired[pulumi.Input[str]]
    """jwt: the issuer that each token must name."""

    oidc_discovery_url: NotRequired[pulumi.Input[str] | None]
    """jwt: the issuer's address; one of this, `jwks_url` and `validation_public_keys`."""

    jwks_url: NotRequired[pulumi.Input[str] | None]
    """jwt: the address of the issuer's keys."""

    validation_public_keys: NotRequired[Sequence[pulumi.Input[str]]]
    """jwt: the issuer's public keys, PEM."""

    host: NotRequired[pulumi.Input[str]]
    """kubernetes: the address of the cluster's API."""

    ca_certificate: NotRequired[pulumi.Input[str] | None]
    """jwt: the CA of those addresses. kubernetes: the cluster's CA, for a Vault outside the cluster. PEM."""


class AuthMethod(pulumi.ComponentResource):
    """A mounted and configured auth method. Unmounting it ends the tokens that it gave.

    A Kubernetes mount with a CA asks the cluster with the caller's own token, so that no token of Vault's stands in
    the state; its service accounts then need the cluster role `system:auth-delegator`
    (https://developer.hashicorp.com/vault/docs/auth/kubernetes#use-the-vault-client-s-jwt-as-the-reviewer-jwt).
    """

    path: pulumi.Output[str]
    """Where it is mounted, once it is configured."""

    def __init__(self, name: str, args: AuthMethodArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:access:AuthMethod", name, None, opts)
        mounts = {"approle": self._plain, "jwt": self._jwt, "kubernetes": self._kubernetes}
        if args["type"] not in mounts:
            raise ValueError(f"AuthMethod {name}: type is {args['type']!r}; it may be one of {', '.join(mounts)}")
        self.path = mounts[args["type"]](name, args)
        self.register_outputs({"path": self.path})

    def _plain(self, name: str, args: AuthMethodArgs) -> pulumi.Output[str]:
        return vault.AuthBackend(
            f"{name}-mount",
            path=args["path"],
            type=args["type"],
            description=DESCRIPTION,
            opts=pulumi.ResourceOptions(parent=self),
        ).path

    def _jwt(self, name: str, args: AuthMethodArgs) -> pulumi.Output[str]:
        by_discovery = args.get("oidc_discovery_url") is not None
        mount = vault.jwt.AuthBackend(
            f"{name}-mount",
            path=args["path"],
            type="jwt",
            description=DESCRIPTION,
            bound_issuer=args.get("bound_issuer"),
            oidc_discovery_url=args.get("oidc_discovery_url"),
            oidc_discovery_ca_pem=args.get("ca_certificate") if by_discovery else None,
            jwks_url=args.get("jwks_url"),
            jwks_ca_pem=None if by_discovery else args.get("ca_certificate"),
            jwt_validation_pubkeys=args.get("validation_public_keys"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return mount.path.apply(str)

    def _kubernetes(self, name: str, args: AuthMethodArgs) -> pulumi.Output[str]:
        path = self._plain(name, args)
        config = vault.kubernetes.AuthBackendConfig(
            f"{name}-config",
            backend=path,
            kubernetes_host=args["host"],
            kubernetes_ca_cert=args.get("ca_certificate"),
            disable_local_ca_jwt=args.get("ca_certificate") is not None,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.Output.all(path, config.id).apply(lambda values: str(values[0]))
