"""What in Vault no provider compares: the live root configuration, leases, tunes, and roles of others."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import hvac

from settings.durations import format_duration
from settings.engines import Engine
from tools.drift.findings import NEW_USER, NONE, Finding
from tools.drift.state import DeclaredEngine, State
from tools.errors import ToolError

_ROOT_FIELDS = {
    "region": "region",
    "iam_endpoint": "iamEndpoint",
    "sts_endpoint": "stsEndpoint",
    "username_template": "usernameTemplate",
    "max_retries": "maxRetries",
}
"""What of the root configuration Vault gives back beside the key, and the provider's names for it."""
_COMPARED_BY_PROVIDER = {
    "default_lease_ttl",
    "max_lease_ttl",
    "listing_visibility",
    "passthrough_request_headers",
    "allowed_response_headers",
    "allowed_managed_keys",
    "delegated_auth_accessors",
    "identity_token_key",
}
_USUAL = {"token_type": "default-service"}
"""What the tune of a mount says when nobody has said anything; all else is empty then."""


@dataclass(frozen=True)
class Reader:
    """Reads Vault with the rights of the caller's token.

    Attributes:
        vault: The client.
    """

    vault: hvac.Client

    def check(self) -> None:
        """Sees that Vault answers and takes the token.

        Raises:
            ToolError: It does not.
        """
        self._call("auth/token/lookup-self", self.vault.adapter.get)

    def read(self, path: str) -> dict[str, Any] | None:
        """The data at a path; None if there is nothing.

        Raises:
            ToolError: Vault refuses, or does not answer.
        """
        data: dict[str, Any] | None = self._call(path, self.vault.adapter.get)
        return data

    def names(self, path: str) -> list[str]:
        """What is listed at a path.

        Raises:
            ToolError: Vault refuses, or does not answer.
        """
        data = self._call(path, self.vault.adapter.list)
        return list(data["keys"]) if data else []

    def _call(self, path: str, method: Any) -> Any:  # noqa: ANN401 - hvac has no types
        try:
            return method(f"/v1/{path}")["data"]
        except hvac.exceptions.InvalidPath:
            return None
        except hvac.exceptions.InvalidRequest as error:
            if "No secret engine mount at" in str(error) or "No auth engine at" in str(error):
                return None
            raise ToolError(f"Vault does not say what {path} holds: {' '.join(str(error).split())}") from None
        except hvac.exceptions.Forbidden:
            raise ToolError(
                f"nothing was compared: Vault at {self.vault.url} lets this token not read {path}; check VAULT_TOKEN, "
                "and that its policy is what `make pulumi-policy` prints"
            ) from None
        except (hvac.exceptions.VaultError, OSError) as error:
            raise ToolError(
                f"nothing was compared: Vault at {self.vault.url} does not answer at {path} "
                f"({type(error).__name__}); check the address and that it is unsealed"
            ) from None


def live_key(reader: Reader, engine: DeclaredEngine) -> str | None:
    """The id of the access key that Vault holds; None if it holds none, or the engine is not mounted."""
    root = reader.read(f"{engine.path}/config/root") if reader.read(f"sys/mounts/{engine.path}") else None
    return (root or {}).get("access_key") or None


def vault_findings(reader: Reader, state: State, settings: Mapping[str, Engine], region: str) -> Iterator[Finding]:
    """Compares what the state and the settings declare with what Vault holds.

    What is not mounted any more is left to the providers, who say so.

    Args:
        reader: Reads Vault.
        state: The stack's state.
        settings: The engines of the settings, by name.
        region: The stack's region.

    Raises:
        ToolError: Vault refuses, or does not answer.
    """
    for engine in state.engines:
        mount = reader.read(f"sys/mounts/{engine.path}")
        if mount is not None:
            yield from tune_findings(f"mount {engine.path}", f"sys/mounts/{engine.path}", mount, _COMPARED_BY_PROVIDER)
            yield from _root(reader, engine, settings.get(engine.name), region)
            yield from _lease(reader, engine)
            yield from _strangers(reader, state, f"{engine.path}/roles", "role that credentials are made for")
    for path in state.auth_methods:
        mount = reader.read(f"sys/mounts/auth/{path}")
        if mount is not None:
            yield from tune_findings(f"auth method {path}", f"sys/auth/{path}", mount, set())
            yield from _strangers(reader, state, f"auth/{path}/role", "role to log in with")


def tune_findings(what: str, at: str, mount: Mapping[str, Any], compared: set[str]) -> Iterator[Finding]:
    """What of a mount's tune is not as usual, and is compared by nobody else."""
    for field, value in sorted((mount.get("config") or {}).items()):
        if field not in compared and value and value != _USUAL.get(field):
            usual = _USUAL.get(field, NONE)
            setting = f"{field}={_USUAL.get(field, 0 if isinstance(value, int) else '')}"
            mend = shlex.join(["vault", "write", f"{at}/tune", setting])
            yield Finding(what, field, f"{at}/tune", usual, value, mend=mend)


def _root(reader: Reader, engine: DeclaredEngine, declared: Engine | None, region: str) -> Iterator[Finding]:
    at = f"{engine.path}/config/root"
    root = reader.read(at) or {}
    if not engine.vault_rotates:
        fields: Mapping[str, Any] = {field: engine.mount.get(name) for field, name in _ROOT_FIELDS.items()}
    elif declared is not None and engine.user_arn.endswith(f"-{declared.root_digest(region)}"):
        fields = declared.root_fields(region)
    else:
        # The settings have moved on, and the state keeps the fields secret: the preview tells of the new user.
        return
    for field, value in fields.items():
        if (root.get(field) or "") != (value or ""):
            finding = Finding("root configuration", field, at, value, root.get(field))
            yield replace(finding, mend=NEW_USER) if engine.vault_rotates else finding


def _lease(reader: Reader, engine: DeclaredEngine) -> Iterator[Finding]:
    at = f"{engine.path}/config/lease"
    lease = reader.read(at) or {}
    for field, name in (("lease", "defaultLeaseTtlSeconds"), ("lease_max", "maxLeaseTtlSeconds")):
        # The stack gives the mount and its leases the same TTLs.
        declared = format_duration(int(engine.mount[name]))
        if lease.get(field) != declared:
            yield Finding("leases of IAM users", field, at, declared, lease.get(field))


def _strangers(reader: Reader, state: State, at: str, what: str) -> Iterator[Finding]:
    for name in reader.names(at):
        if f"{at}/{name}" not in state.role_paths:
            yield Finding(what, "", f"{at}/{name}", NONE, "there", mend=shlex.join(["vault", "delete", f"{at}/{name}"]))
