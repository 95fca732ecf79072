"""Who gets which Vault policies: one component for each way to say who."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_vault as vault


class _LoginArgs(TypedDict):
    mount: pulumi.Input[str]
    """The path of the auth method."""

    policies: Sequence[pulumi.Input[str]]
    """The policies that a token gets."""

    token_ttl: pulumi.Input[int]
    """How long a token lives unless it is renewed, in seconds."""

    token_max_ttl: pulumi.Input[int]
    """How long a token lives at most, in seconds."""

    token_bound_cidrs: NotRequired[Sequence[pulumi.Input[str]]]
    """The networks from which a token may be used. Default: any."""


class AppRoleAccessArgs(_LoginArgs):
    """Arguments of `AppRoleAccess`."""

    secret_id_ttl: pulumi.Input[int]
    """How long a secret id may be used, in seconds."""

    secret_id_num_uses: NotRequired[pulumi.Input[int]]
    """How often a secret id may be used. Default: 0, any number of times."""

    secret_id_bound_cidrs: NotRequired[Sequence[pulumi.Input[str]]]
    """The networks from which a secret id may be used. Default: any."""


class JwtAccessArgs(_LoginArgs):
    """Arguments of `JwtAccess`."""

    bound_audiences: Sequence[pulumi.Input[str]]
    """The audiences of which a token must name one."""

    bound_subject: NotRequired[pulumi.Input[str]]
    """The subject that a token must have. Default: any."""

    bound_claims: NotRequired[Mapping[str, Sequence[str]]]
    """Claims that a token must have, each with one of these values. Default: none."""

    bound_claims_type: NotRequired[pulumi.Input[str]]
    """`string` or `glob`. Default: string."""

    user_claim: pulumi.Input[str]
    """The claim that names the caller."""


class KubernetesAccessArgs(_LoginArgs):
    """Arguments of `KubernetesAccess`."""

    service_accounts: Sequence[pulumi.Input[str]]
    """The names of service accounts."""

    namespaces: Sequence[pulumi.Input[str]]
    """Their namespaces."""

    audience: NotRequired[pulumi.Input[str]]
    """The audience that a service account's token must name. Default: none is asked for."""


class GroupAccessArgs(TypedDict):
    """Arguments of `GroupAccess`. It is either `mount` and `alias`, or `entities`."""

    policies: Sequence[pulumi.Input[str]]
    """The policies of the group's members."""

    mount: NotRequired[pulumi.Input[str] | None]
    """The path of the auth method that reports the group."""

    alias: NotRequired[pulumi.Input[str]]
    """The group's name there."""

    entities: NotRequired[Sequence[pulumi.Input[str]]]
    """The ids of the members."""


class AppRoleAccess(pulumi.ComponentResource):
    """An AppRole of the binding's name. It asks for a secret id, of which the stack makes none."""

    login: pulumi.Output[str]
    """The path at which to log in."""

    def __init__(self, name: str, args: AppRoleAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:access:AppRole", name, None, opts)
        role = vault.approle.AuthBackendRole(
            f"{name}-approle",
            backend=args["mount"],
            role_name=name,
            bind_secret_id=True,
            secret_id_ttl=args["secret_id_ttl"],
            secret_id_num_uses=args.get("secret_id_num_uses"),
            secret_id_bound_cidrs=args.get("secret_id_bound_cidrs"),
            **_token(args),
            opts=_own(self),
        )
        self.login = _login(args["mount"], role)
        self.register_outputs({"login": self.login})


class JwtAccess(pulumi.ComponentResource):
    """A role of a JWT auth method, of the binding's name."""

    login: pulumi.Output[str]
    """The path at which to log in."""

    def __init__(self, name: str, args: JwtAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:access:Jwt", name, None, opts)
        # The provider takes the values of a claim as one text, separated by commas.
        claims = {claim: ",".join(values) for claim, values in args.get("bound_claims", {}).items()}
        role = vault.jwt.AuthBackendRole(
            f"{name}-jwt",
            backend=args["mount"],
            role_name=name,
            role_type="jwt",
            user_claim=args["user_claim"],
            bound_audiences=args["bound_audiences"],
            bound_subject=args.get("bound_subject"),
            bound_claims=claims or None,
            bound_claims_type=args.get("bound_claims_type", "string"),
            **_token(args),
            opts=_own(self),
        )
        self.login = _login(args["mount"], role)
        self.register_outputs({"login": self.login})


class KubernetesAccess(pulumi.ComponentResource):
    """A role of a Kubernetes auth method, of the binding's name."""

    login: pulumi.Output[str]
    """The path at which to log in."""

    def __init__(self, name: str, args: KubernetesAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:access:Kubernetes", name, None, opts)
        role = vault.kubernetes.AuthBackendRole(
            f"{name}-kubernetes",
            backend=args["mount"],
            role_name=name,
            bound_service_account_names=args["service_accounts"],
            bound_service_account_namespaces=args["namespaces"],
            audience=args.get("audience"),
            **_token(args),
            opts=_own(self),
        )
        self.login = _login(args["mount"], role)
        self.register_outputs({"login": self.login})


class GroupAccess(pulumi.ComponentResource):
    """An identity group of the binding's name: an auth method says who is in it, or it lists its members."""

    login: pulumi.Output[str]
    """Where it is: its members log in as they always do."""

    def __init__(self, name: str, args: GroupAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:access:Group", name, None, opts)
        alias, mount = args.get("alias"), args.get("mount")
        if (alias is None) != (mount is None) or (alias is None) == (args.get("entities") is None):
            raise ValueError(f"GroupAccess {name}: give mount and alias, or entities")
        group = vault.identity.Group(
            f"{name}-group",
            name=name,
            type="internal" if alias is None else "external",
            policies=args["policies"],
            member_entity_ids=args.get("entities"),
            opts=_own(self),
        )
        self.login = pulumi.Output.concat("identity/group/name/", group.name)
        if alias is not None and mount is not None:
            method = vault.get_auth_backend_output(path=mount, opts=pulumi.InvokeOutputOptions(parent=self))
            vault.identity.GroupAlias(
                f"{name}-alias", name=alias, mount_accessor=method.accessor, canonical_id=group.id, opts=_own(group)
            )
        self.register_outputs({"login": self.login})


def _own(parent: pulumi.Resource) -> pulumi.ResourceOptions:
    # A replacement has the same name in Vault, so the old one goes first.
    return pulumi.ResourceOptions(parent=parent, delete_before_replace=True)


def _token(args: _LoginArgs) -> dict[str, Any]:
    return {
        "token_policies": args["policies"],
        "token_ttl": args["token_ttl"],
        "token_max_ttl": args["token_max_ttl"],
        "token_bound_cidrs": args.get("token_bound_cidrs"),
    }


def _login(mount: pulumi.Input[str], role: pulumi.CustomResource) -> pulumi.Output[str]:
    return pulumi.Output.all(mount, role.id).apply(lambda values: f"auth/{values[0]}/login")


WAYS: Mapping[str, Callable[..., AppRoleAccess | JwtAccess | KubernetesAccess | GroupAccess]] = {
    "app_role": AppRoleAccess,
    "jwt": JwtAccess,
    "kubernetes": KubernetesAccess,
    "group": GroupAccess,
}
"""The component of each way that a binding may be made."""
