"""What a stack's state declares, read from `pulumi stack export` without decrypting a secret of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.errors import ToolError

ACCESS_KEY = "aws:iam/accessKey:AccessKey"
SECRET_BACKEND = "vault:aws/secretBackend:SecretBackend"  # noqa: S105 - a resource's type
_MOUNT = "vault:index/mount:Mount"
_USER = "aws:iam/user:User"
_ATTACHMENT = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
_STACK = "pulumi:pulumi:Stack"
_ROLES = {
    "vault:aws/secretBackendRole:SecretBackendRole": "{backend}/roles/{name}",
    "vault:aws/secretBackendStaticRole:SecretBackendStaticRole": "{backend}/static-roles/{name}",
    "vault:generic/endpoint:Endpoint": "{path}",
    "vault:appRole/authBackendRole:AuthBackendRole": "auth/{backend}/role/{roleName}",
    "vault:jwt/authBackendRole:AuthBackendRole": "auth/{backend}/role/{roleName}",
    "vault:kubernetes/authBackendRole:AuthBackendRole": "auth/{backend}/role/{roleName}",
}
_METHODS = {"vault:index/authBackend:AuthBackend", "vault:jwt/authBackend:AuthBackend"}


@dataclass(frozen=True)
class DeclaredEngine:
    """An engine as the state has it.

    Attributes:
        name: Its name in the settings.
        path: Where it is mounted.
        user_arn: The ARN of Vault's IAM user.
        vault_rotates: Whether Vault makes its own keys, which the state does not know.
        keys: The ids of the access keys that Vault should hold one of; none where Vault rotates.
        former_keys: The ids of keys that should be gone: seeds, and what an interrupted update left.
        policies: The ARNs of the managed policies that the stack attached to the user.
        mount: The properties of the mount's resource.
    """

    name: str
    path: str
    user_arn: str
    vault_rotates: bool
    keys: tuple[str, ...]
    former_keys: tuple[str, ...]
    policies: frozenset[str]
    mount: Mapping[str, Any]

    @property
    def user_name(self) -> str:
        """The name of Vault's IAM user."""
        return self.user_arn.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class State:
    """A stack's state.

    Attributes:
        engines: The engines.
        role_paths: The paths in Vault of all roles of engines and auth methods.
        auth_methods: The paths of the auth methods that the stack mounted.
        unfinished: What an interrupted update was doing, as `creating aws-key-2`.
    """

    engines: tuple[DeclaredEngine, ...]
    role_paths: frozenset[str]
    auth_methods: tuple[str, ...]
    unfinished: tuple[str, ...]

    @classmethod
    def of(cls, exported: str, stack: str) -> "State":
        """Reads what `pulumi stack export` printed.

        Raises:
            ToolError: No update of the stack has ever ended.
        """
        deployment = json.loads(exported).get("deployment") or {}
        every = deployment.get("resources") or []
        resources = [resource for resource in every if resource.get("custom") and not resource.get("delete")]
        outputs = next((one.get("outputs") or {} for one in every if one["type"] == _STACK), {})
        if "mounts" not in outputs:
            raise ToolError(
                f"nothing was compared: no update of the stack {stack} has ended yet; run `make up STACK={stack}`"
            )
        backends = {
            one["outputs"]["path"]: one
            for one in resources
            if one["type"] == SECRET_BACKEND or (one["type"] == _MOUNT and one["outputs"].get("type") == "aws")
        }
        arns = {one["outputs"]["arn"] for one in resources if one["type"] == _USER}
        engines = tuple(
            _engine(name, backends[path], outputs["vaultUsers"][name], every)
            for name, path in outputs["mounts"].items()
            if path in backends and outputs["vaultUsers"][name] in arns
        )
        return cls(
            engines=engines,
            role_paths=frozenset(
                _ROLES[one["type"]].format_map(one["outputs"]) for one in resources if one["type"] in _ROLES
            ),
            auth_methods=tuple(one["outputs"]["path"] for one in resources if one["type"] in _METHODS),
            unfinished=tuple(
                f"{one['type']} {one['resource']['urn'].rsplit('::', 1)[-1]}"
                for one in deployment.get("pending_operations") or []
            ),
        )


def _engine(name: str, backend: Mapping[str, Any], arn: str, every: list[dict[str, Any]]) -> DeclaredEngine:
    user = arn.rsplit("/", 1)[-1]
    of_user = [one for one in every if (one.get("outputs") or {}).get("user") == user]
    keys = [one for one in of_user if one["type"] == ACCESS_KEY]
    # A key that is retained on deletion is a seed: Vault has deleted it, and the next update forgets it.
    current = [one["id"] for one in keys if not one.get("delete") and not one.get("retainOnDelete")]
    return DeclaredEngine(
        name=name,
        path=backend["outputs"]["path"],
        user_arn=arn,
        vault_rotates=backend["type"] != SECRET_BACKEND,
        keys=tuple(current),
        former_keys=tuple(one["id"] for one in keys if one["id"] not in current),
        policies=frozenset(one["outputs"]["policyArn"] for one in of_user if one["type"] == _ATTACHMENT),
        mount=backend["outputs"],
    )
