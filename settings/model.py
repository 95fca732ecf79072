"""The typed settings of a stack.

Everything here is checked without a server or a credential. What a document says is checked in
`documents`.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator

from settings.access import OPERATOR, Binding, Holder, policy_name
from settings.alarm import Alarm
from settings.audit import Audit
from settings.auth_methods import AuthMethod, AuthPath
from settings.engines import Engine
from settings.roles import Role
from settings.static_roles import StaticRole
from settings.types import Model, Name, Region, RoleName
from settings.vault_pin import VaultPin


def _no_null(value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
    return {} if value is None else value


def _one_engine(value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
    # Pulumi.yaml's default is empty, since a default with an engine in it would be merged into what a stack shares.
    return {"aws": {}} if value in (None, {}) else value


class Settings(Model):
    """All settings of a stack, in the namespace `vault-aws`."""

    shared: str = ""
    """A file beside Pulumi.yaml with settings that stacks share; this stack's own are laid over them."""
    vault: Annotated[VaultPin, BeforeValidator(_no_null)] = VaultPin()
    """Which Vault the stack is for; another one is refused."""
    environment: Name
    """The environment: the placeholder `${environment}`, and part of names; by default the stack's name."""
    region: Region
    """The stack's region (`aws:region`)."""
    engines: Annotated[dict[Name, Engine], BeforeValidator(_one_engine)] = {"aws": Engine()}
    """The mounts, by name; by default one, `aws`."""
    protect: bool = False
    """Whether the mounts, and the IAM users whose keys the stack rotates, are protected from deletion."""
    roles: Annotated[dict[RoleName, Role], BeforeValidator(_no_null)] = {}
    """The roles, by name."""
    static_roles: Annotated[dict[RoleName, StaticRole], BeforeValidator(_no_null)] = {}
    """Existing IAM users whose keys Vault rotates, by the name that they have in Vault."""
    auth_methods: Annotated[dict[AuthPath, AuthMethod], BeforeValidator(_no_null)] = {}
    """The auth methods that the stack mounts, by path."""
    access: Annotated[dict[Name, Binding], BeforeValidator(_no_null)] = {}
    """Who may read which role's credentials, by a name of your own."""
    audit: Annotated[Audit, BeforeValidator(_no_null)] = Audit()
    """The devices that record every request to Vault."""
    alarm: Annotated[Alarm, BeforeValidator(_no_null)] = Alarm()
    """Who is told when Vault's IAM user does what it never should."""

    def mount_path(self, engine: str) -> str:
        """Where an engine is mounted."""
        return self.engines[engine].path or engine

    def engine_of(self, role: str) -> str:
        """The name of the engine that a role belongs to."""
        return self.roles[role].engine or next(iter(self.engines))

    def roles_of(self, engine: str) -> dict[str, Role]:
        """The roles of one engine, by name."""
        first = next(iter(self.engines))
        return {name: role for name, role in self.roles.items() if (role.engine or first) == engine}

    def policy_name(self, role: str) -> str:
        """The name of the Vault policy of a role."""
        engine = (self.roles.get(role) or self.static_roles[role]).engine or next(iter(self.engines))
        return policy_name(self.mount_path(engine), role)

    def policies_of(self, binding: Binding) -> list[str]:
        """The names of the Vault policies that a binding gives, in order."""
        operated = [policy_name(self.mount_path(engine), OPERATOR) for engine in binding.operator_of]
        return sorted([*map(self.policy_name, binding.roles), *operated])

    @property
    def holders(self) -> list[Holder]:
        """What each Vault policy of the stack is for: the operator of a mount, or a role's consumers."""
        operators = [Holder(f"engines.{engine}.path", self.mount_path(engine), OPERATOR) for engine in self.engines]
        roles = [
            Holder(f"{field}.{name}", self.mount_path(engine), name)
            for engine in self.engines
            for field, roles in (("roles", self.roles_of(engine)), ("staticRoles", self.static_roles_of(engine)))
            for name in roles
        ]
        return operators + roles

    def static_roles_of(self, engine: str) -> dict[str, StaticRole]:
        """The static roles of one engine, by name."""
        first = next(iter(self.engines))
        return {name: role for name, role in self.static_roles.items() if (role.engine or first) == engine}

    def vault_user_name(self, engine: str) -> str:
        """The name of the IAM user whose key an engine holds."""
        settings = self.engines[engine]
        name = settings.vault_user.name or f"secrets-engine-{self.environment}-{engine}"
        # Where Vault rotates the key, another root configuration takes another user: its key cannot be written again.
        return f"{name}-{settings.root_digest(self.region)}" if settings.rotation == "vault" else name
