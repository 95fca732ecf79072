"""The mount of Vault's AWS secrets engine, with its root configuration and leases."""

import json
from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault

from settings.durations import format_duration


class SecretsEngineArgs(TypedDict):
    """Arguments of `SecretsEngine`."""

    path: pulumi.Input[str]
    """Where the engine is mounted, without a slash at either end."""

    description: NotRequired[pulumi.Input[str]]
    """What `vault secrets list` shows. Default: none."""

    region: pulumi.Input[str]
    """The region of the engine's calls to IAM and STS."""

    access_key: pulumi.Input[str] | None
    """The access key id of Vault's IAM user. None leaves it to Vault to find credentials in its surroundings."""

    secret_key: pulumi.Input[str] | None
    """The secret key of Vault's IAM user; make it a secret output. None likewise."""

    default_lease_ttl: int
    """How long a lease lives unless asked otherwise, in seconds."""

    max_lease_ttl: int
    """The longest that a lease lives, in seconds; not under `default_lease_ttl`."""

    protect: NotRequired[bool]
    """Whether Pulumi refuses to unmount it. Default: false."""

    iam_endpoint: NotRequired[pulumi.Input[str] | None]
    """Another address of IAM. Default: AWS's."""

    sts_endpoint: NotRequired[pulumi.Input[str] | None]
    """Another address of STS. Default: AWS's."""

    username_template: NotRequired[pulumi.Input[str] | None]
    """How Vault names IAM users and sessions, a Go template. Default: Vault's own."""

    max_retries: NotRequired[pulumi.Input[int]]
    """How often Vault repeats a failed call to AWS. Default: -1, which leaves it to the AWS SDK."""


class SecretsEngine(pulumi.ComponentResource):
    """A mounted AWS secrets engine that is ready for roles.

    It creates the mount with its root configuration, and `config/lease`, which the mount's tune does not
    reach and no resource of the provider manages: the leases of IAM users take their TTL from there
    (https://developer.hashicorp.com/vault/api-docs/secret/aws#configure-lease). Both say the same TTLs.
    Make it depend on what Vault's user is allowed: it is then unmounted, and its leases revoked, while
    the user still can.
    """

    path: pulumi.Output[str]
    """Where the engine is mounted, once it is configured."""

    def __init__(self, name: str, args: SecretsEngineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:engine:SecretsEngine", name, None, opts)
        if args["default_lease_ttl"] > args["max_lease_ttl"]:
            raise ValueError(
                f"SecretsEngine {name}: default_lease_ttl ({args['default_lease_ttl']} s) is over "
                f"max_lease_ttl ({args['max_lease_ttl']} s); lower it"
            )
        backend = vault.aws.SecretBackend(
            f"{name}-backend",
            path=args["path"],
            description=args.get("description"),
            region=args["region"],
            access_key=args["access_key"],
            secret_key=args["secret_key"],
            default_lease_ttl_seconds=args["default_lease_ttl"],
            max_lease_ttl_seconds=args["max_lease_ttl"],
            iam_endpoint=args.get("iam_endpoint"),
            sts_endpoint=args.get("sts_endpoint"),
            username_template=args.get("username_template"),
            max_retries=args.get("max_retries"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect")),
        )
        lease = vault.generic.Endpoint(
            f"{name}-lease",
            path=pulumi.Output.format("{0}/config/lease", backend.path),
            data_json=json.dumps(
                {
                    "lease": format_duration(args["default_lease_ttl"]),
                    "lease_max": format_duration(args["max_lease_ttl"]),
                }
            ),
            # Vault has no way to delete it but to unmount the engine.
            disable_delete=True,
            opts=pulumi.ResourceOptions(parent=backend, protect=False),
        )
        self.path = pulumi.Output.all(backend.path, lease.id).apply(lambda values: str(values[0]))
        self.register_outputs({"path": self.path})
