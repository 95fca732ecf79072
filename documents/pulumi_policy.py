"""The Vault policy of the token with which a stack is run: what the providers and the program ask of Vault.

Where the stack owns a place whole (its mounts, the policies that begin with a mount's name) the rule is a pattern, so
that an update which removes a role may still delete what the settings no longer name. Elsewhere it names each thing.
Which requests these are was read from the audit log of a whole life of a stack, and a test reads it again.
"""

from collections.abc import Iterator

from documents.vault_policies import Rule, literal, policy_text
from settings.access import policy_name
from settings.auth_methods import AuthMethod
from settings.engines import Engine
from settings.model import Settings

_WHOLE = ("read", "update", "delete")


def pulumi_policy(settings: Settings) -> str:
    """The policy that is enough for a stack of these settings, and no more than that.

    Whoever holds it may make policies, and bind them: it is an administrator of AWS credentials, and a token with it
    deserves to be as short-lived as an update.
    """
    return policy_text(pulumi_rules(settings))


def preview_policy(settings: Settings) -> str:
    """The policy that is enough for a preview and for `make drift`, and changes nothing.

    The provider works with a child of the token, which it makes and gives back.
    """
    kept = [Rule("auth/token/create", ["update"])]
    for rule in pulumi_rules(settings):
        capabilities = [one for one in rule.capabilities if one in {"read", "list", "sudo"}]
        if set(capabilities) - {"sudo"}:
            kept.append(Rule(rule.path, capabilities))
    return policy_text(kept)


def proof_policy(settings: Settings) -> str:
    """The policy with which `make up` also proves the roles, and says which leases a role leaves behind that goes.

    Whoever updates a stack can write a policy that reads its credentials; this one says so outright. It names no role,
    so that an update which adds one may prove it.
    """
    rules = [Rule("sys/leases/revoke", ["update"])]
    for name in settings.engines:
        at = literal(settings.mount_path(name))
        rules.append(Rule(f"{at}/creds/+", ["read"]))
        rules += [Rule(f"sys/leases/lookup/{at}/{way}/+/", ["list", "sudo"]) for way in ("creds", "sts")]
    return policy_text(rules)


def pulumi_rules(settings: Settings) -> list[Rule]:
    """The rules of that policy."""
    rules = [
        # The provider works with a short-lived child of the token.
        Rule("auth/token/create", ["update"]),
        Rule("auth/token/lookup-self", ["read"]),
        *_audit_rules(settings),
    ]
    for name, engine in settings.engines.items():
        rules += _engine_rules(settings.mount_path(name), engine, static=bool(settings.static_roles_of(name)))
    for path, method in settings.auth_methods.items():
        rules += _method_rules(path, method)
    return [*rules, *_binding_rules(settings)]


def _engine_rules(mount: str, engine: Engine, *, static: bool) -> Iterator[Rule]:
    at = literal(mount)
    yield Rule(f"sys/mounts/{at}", _WHOLE)
    yield Rule(f"sys/mounts/{at}/tune", ["update"])
    yield Rule(f"{at}/config/root", ["read", "update"])
    yield Rule(f"{at}/config/lease", ["read", "update"])
    if engine.rotation == "vault":
        yield Rule(f"{at}/config/rotate-root", ["update"])
    yield Rule(f"{at}/roles/+", _WHOLE)
    # `make drift` looks for roles that the stack did not make.
    yield Rule(f"{at}/roles/", ["list"])
    if static:
        yield Rule(f"{at}/static-roles/+", _WHOLE)
    yield Rule(f"sys/policies/acl/{policy_name(at, '*')}", _WHOLE)


def _method_rules(path: str, method: AuthMethod) -> Iterator[Rule]:
    at = literal(path)
    yield Rule(f"sys/auth/{at}", ["update", "delete", "sudo"])
    yield Rule(f"sys/mounts/auth/{at}", ["read"])
    yield Rule(f"sys/mounts/auth/{at}/tune", ["read"])
    yield Rule(f"auth/{at}/role/+", ["create", *_WHOLE])
    # `make drift` again.
    yield Rule(f"auth/{at}/role/", ["list"])
    if method.type == "approle":
        yield Rule(f"auth/{at}/role/+/role-id", ["read"])
    else:
        yield Rule(f"auth/{at}/config", ["read", "update"])


def _binding_rules(settings: Settings) -> Iterator[Rule]:
    bindings = settings.access.items()
    for name, binding in bindings:
        if binding.group is None and binding.mount not in settings.auth_methods:
            at = f"auth/{literal(str(binding.mount))}/role/{name}"
            yield Rule(at, ["create", *_WHOLE])
            if binding.app_role is not None:
                yield Rule(f"{at}/role-id", ["read"])
    groups = [binding.group for _, binding in bindings if binding.group is not None]
    if groups:
        yield Rule("identity/group", ["update"])
        yield Rule("identity/group/id/+", _WHOLE)
    if any(group.alias for group in groups):
        yield Rule("identity/group-alias", ["update"])
        yield Rule("identity/group-alias/id/+", _WHOLE)
    for mount in sorted({group.mount for group in groups if group.mount} - set(settings.auth_methods)):
        yield Rule(f"sys/mounts/auth/{literal(mount)}", ["read"])


def _audit_rules(settings: Settings) -> Iterator[Rule]:
    if settings.audit.devices:
        yield Rule("sys/audit", ["read", "sudo"])
    for path, device in settings.audit.devices.items():
        if device.managed:
            yield Rule(f"sys/audit/{literal(path)}", ["update", "delete", "sudo"])
