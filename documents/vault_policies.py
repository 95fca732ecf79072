"""The Vault policies of a stack: for a role's consumers, and for the operator of a mount.

They are JSON, which Vault takes as it takes HCL, so that no name is ever pasted into the syntax. In a path
`+` and a last `*` are patterns (https://developer.hashicorp.com/vault/docs/concepts/policies): a name that
holds one is refused here, and patterns stand only where they are written below.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from settings.access import OPERATOR, policy_name
from settings.model import Settings
from settings.roles import AssumedRole, IamUserRole, Role, SessionTokenRole

_LITERAL = re.compile(r"[\w.@/-]+", re.ASCII)


@dataclass(frozen=True)
class Rule:
    """What a policy allows on a path.

    Attributes:
        path: The path, or a pattern.
        capabilities: What may be done there.
        parameters: The parameters that a request may have, each with the values it may take (none: any);
            None for any parameters, an empty mapping for no parameters at all.
    """

    path: str
    capabilities: Sequence[str]
    parameters: Mapping[str, Sequence[str]] | None = field(default=None)

    def as_json(self) -> dict[str, Any]:
        """The rule as the body of a policy's `path` stanza."""
        body: dict[str, Any] = {"capabilities": sorted(self.capabilities)}
        if self.parameters:
            body["allowed_parameters"] = {name: list(values) for name, values in self.parameters.items()}
        elif self.parameters is not None:
            # Vault takes an empty allowed_parameters for no limit.
            body["denied_parameters"] = {"*": []}
        return body


def policy_text(rules: Sequence[Rule]) -> str:
    """Writes a policy, a line a rule.

    Raises:
        ValueError: Two rules have one path, of which Vault would drop one in silence.
    """
    paths = [rule.path for rule in rules]
    if len(paths) != len(set(paths)):
        raise ValueError(f"two rules for one path among {paths}")
    lines = ",\n".join(f"  {json.dumps(rule.path)}: {json.dumps(rule.as_json())}" for rule in rules)
    return f'{{"path": {{\n{lines}\n}}}}'


def literal(path: str) -> str:
    """A path without patterns.

    Raises:
        ValueError: It holds a character that could be a pattern, or a template.
    """
    if not _LITERAL.fullmatch(path):
        raise ValueError(f"{path!r} cannot stand in a Vault policy as a literal path")
    return path


def role_rules(mount: str, name: str, role: Role) -> list[Rule]:
    """What a consumer of a role may do: read its credentials.

    An IAM user is made by a read of `creds/`, without parameters; on `sts/` the same role would make a session of
    Vault's own user. Sessions may be asked for in both ways of each path. A caller may name only an IAM role that
    the role declares, and a TTL only where the role leaves a choice; Vault keeps it under the role's `maxStsTtl`
    (https://developer.hashicorp.com/vault/api-docs/secret/aws#generate-credentials).
    """
    if isinstance(role, IamUserRole):
        return [Rule(literal(f"{mount}/creds/{name}"), ["read"], {})]
    parameters: dict[str, Sequence[str]] = {}
    if isinstance(role, AssumedRole):
        parameters["role_arn"] = role.role_arns
    if isinstance(role, SessionTokenRole):
        if role.mfa_serial_number is not None:
            parameters["mfa_code"] = []
    elif role.max_sts_ttl != role.default_sts_ttl:
        parameters["ttl"] = []
    return [Rule(literal(f"{mount}/{way}/{name}"), ["read", "update"], parameters) for way in ("creds", "sts")]


def static_role_rules(mount: str, name: str) -> list[Rule]:
    """What a consumer of a static role may do: read the key that its IAM user has now."""
    return [Rule(literal(f"{mount}/static-creds/{name}"), ["read"], {})]


def operator_rules(mount: str, *, vault_rotates: bool) -> list[Rule]:
    """What the operator of a mount may do: read the configuration, see and revoke leases, and rotate Vault's key.

    The last only where Vault rotates it: a key that the stack rotates would be lost to the stack.

    Leases are seen and revoked by role, which in Vault takes sudo, since a prefix may be any
    (https://developer.hashicorp.com/vault/api-docs/system/leases#revoke-prefix); these prefixes are the mount's.
    """
    at = literal(mount)
    return [
        *([Rule(f"{at}/config/rotate-root", ["update"], {})] if vault_rotates else []),
        Rule(f"{at}/config/root", ["read"]),
        Rule(f"{at}/config/lease", ["read"]),
        Rule(f"{at}/roles/", ["list"]),
        Rule(f"{at}/roles/+", ["read"]),
        *(
            rule
            for way in ("creds", "sts")
            for rule in (
                Rule(f"sys/leases/lookup/{at}/{way}/", ["list", "sudo"]),
                Rule(f"sys/leases/lookup/{at}/{way}/+/", ["list", "sudo"]),
                Rule(f"sys/leases/revoke-prefix/{at}/{way}/+", ["update", "sudo"]),
            )
        ),
    ]


def engine_policies(settings: Settings, engine: str) -> dict[str, str]:
    """The policies of one engine's mount by name: one for each role, and the operator's."""
    mount = settings.mount_path(engine)
    policies = {
        settings.policy_name(name): policy_text(role_rules(mount, name, role))
        for name, role in settings.roles_of(engine).items()
    }
    policies |= {
        settings.policy_name(name): policy_text(static_role_rules(mount, name))
        for name in settings.static_roles_of(engine)
    }
    operator = policy_text(operator_rules(mount, vault_rotates=settings.engines[engine].rotation == "vault"))
    return policies | {policy_name(mount, OPERATOR): operator}
