"""The mount of Vault's AWS secrets engine where Vault rotates its own key and nobody else ever knows it."""

import json
from collections.abc import Mapping

import pulumi
import pulumi_vault as vault

from components.secrets_engine import SecretsEngineArgs
from settings.durations import format_duration


class SeededEngineArgs(SecretsEngineArgs):
    """Arguments of `SeededEngine`: those of `SecretsEngine`, where the key is the seed.

    `access_key` and `secret_key` are None once Vault holds this root configuration, with a key of its own.
    """

    root_digest: str
    """Names the root configuration; another one must come with another digest and another IAM user."""


class SeededEngine(pulumi.ComponentResource):
    """A mounted AWS secrets engine whose key Vault has made itself.

    It writes the root configuration once, with a seed, and has Vault rotate the seed away
    (https://developer.hashicorp.com/vault/api-docs/secret/aws#rotate-root-iam-credentials). It never writes
    either again, so no update restores a dead key or blanks the live one, as updates of the provider's own
    resource do (terraform-provider-vault#1684, vault#17716). A change of the root configuration therefore
    takes a new digest, a new IAM user and a new seed; the old user goes last.
    """

    path: pulumi.Output[str]
    """Where the engine is mounted, once its key is its own."""

    def __init__(self, name: str, args: SeededEngineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:engine:SeededEngine", name, None, opts)
        mount = vault.Mount(
            f"{name}-mount",
            path=args["path"],
            type="aws",
            description=args.get("description"),
            default_lease_ttl_seconds=args["default_lease_ttl"],
            max_lease_ttl_seconds=args["max_lease_ttl"],
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect")),
        )
        lease = {
            "lease": format_duration(args["default_lease_ttl"]),
            "lease_max": format_duration(args["max_lease_ttl"]),
        }
        leases = vault.generic.Endpoint(
            f"{name}-lease",
            path=pulumi.Output.format("{0}/config/lease", mount.path),
            data_json=json.dumps(lease),
            disable_delete=True,
            opts=pulumi.ResourceOptions(parent=mount, protect=False),
        )
        seed = self._seed(name, args, mount, lease)
        rotation = vault.generic.Endpoint(
            f"{name}-rotation-{args['root_digest']}",
            path=pulumi.Output.format("{0}/config/rotate-root", mount.path),
            data_json="{}",
            disable_read=True,
            disable_delete=True,
            opts=pulumi.ResourceOptions(parent=mount, depends_on=[seed], protect=False),
        )
        self.path = pulumi.Output.all(mount.path, leases.id, rotation.id).apply(lambda values: str(values[0]))
        self.register_outputs({"path": self.path})

    def _seed(
        self, name: str, args: SeededEngineArgs, mount: vault.Mount, lease: Mapping[str, str]
    ) -> vault.generic.Endpoint:
        if args["access_key"] is None:
            # Vault holds this configuration already. Should the state have lost that it was written, then
            # writing it again without a key would blank the live one, so something harmless is written.
            where, data = "config/lease", pulumi.Output.from_input(json.dumps(lease))
        else:
            where = "config/root"
            fields = (
                "access_key",
                "secret_key",
                "region",
                "iam_endpoint",
                "sts_endpoint",
                "username_template",
                "max_retries",
            )
            data = pulumi.Output.secret(pulumi.Output.json_dumps({field: args.get(field) for field in fields}))
        return vault.generic.Endpoint(
            f"{name}-root-{args['root_digest']}",
            path=pulumi.Output.format("{0}/{1}", mount.path, where),
            data_json=data,
            disable_read=True,
            disable_delete=True,
            opts=pulumi.ResourceOptions(parent=mount, protect=False, ignore_changes=["path", "dataJson"]),
        )


def holds_root(path: str, root: Mapping[str, str | int], opts: pulumi.InvokeOptions | None = None) -> bool:
    """Asks Vault whether a mount holds a root configuration already, whatever its key.

    Args:
        path: The mount.
        root: The root configuration but its key, by Vault's names.
        opts: The provider to ask; by default the stack's own.

    Returns:
        False also where nothing is mounted there yet.

    Raises:
        pulumi.RunError: Vault refuses to say or does not answer. Nothing has been made then.
    """
    try:
        answer = vault.generic.get_secret(path=f"{path}/config/root", opts=opts)
    except Exception as error:  # an invoke that fails raises no narrower type
        reason = " ".join(str(error).split())
        if "no secret found at" in reason:
            return False
        raise pulumi.RunError(
            f"nothing was changed; Vault does not say what {path}/config/root holds, so check vault:address and the "
            f"token's policy ({reason})"
        ) from None
    return all(str(answer.data.get(field, "")) == str(value) for field, value in root.items())
