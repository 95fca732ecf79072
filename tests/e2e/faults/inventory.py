"""All that a stack can make or leave behind in Vault and AWS, so that two moments can be compared."""

from typing import Any

import hvac

from tests.e2e.conftest import World

Inventory = dict[str, Any]

_VAULT_OWN = {"default", "root"}


def inventory(world: World) -> Inventory:
    """What there is, by kind; ids and secrets that are new each time are left out, their number is not."""
    return _of_vault(world) | _of_iam(world) | _of_alarms(world)


def _of_vault(world: World) -> Inventory:
    vault = world.vault
    engines = [path for path, one in vault.sys.list_mounted_secrets_engines()["data"].items() if one["type"] == "aws"]
    methods = vault.sys.list_auth_methods()["data"]
    found: Inventory = {
        "mounts": {path: vault.adapter.get(f"/v1/sys/mounts/{path}tune")["data"]["max_lease_ttl"] for path in engines},
        "auth methods": sorted(methods),
        "Vault policies": sorted(set(vault.sys.list_acl_policies()["data"]["keys"]) - _VAULT_OWN),
        "audit devices": sorted(vault.sys.list_enabled_audit_devices()["data"]),
        "identity groups": _keys(vault, "identity/group/name"),
    }
    for path in engines:
        found[f"{path} roles"] = {role: _settled(vault, f"{path}roles/{role}") for role in _keys(vault, f"{path}roles")}
        found[f"{path} static roles"] = _keys(vault, f"{path}static-roles")
        # A session's lease only expires, and the proof of every role leaves one.
        found[f"{path} leases of users"] = sum(
            len(_keys(vault, f"sys/leases/lookup/{path}creds/{role}"))
            for role, one in found[f"{path} roles"].items()
            if one["credential_type"] == "iam_user"
        )
    for path, method in methods.items():
        if method["type"] in {"approle", "jwt", "kubernetes"}:
            found[f"{path} roles"] = _keys(vault, f"auth/{path}role")
    return found


def _settled(vault: hvac.Client, path: str) -> dict[str, Any]:
    data: dict[str, Any] = vault.adapter.get(f"/v1/{path}")["data"]
    return data


def _keys(vault: hvac.Client, path: str) -> list[str]:
    try:
        keys: list[str] = vault.adapter.list(f"/v1/{path}")["data"]["keys"]
    except hvac.exceptions.VaultError:
        # Nothing has ever been there.
        return []
    return sorted(keys)


def _of_iam(world: World) -> Inventory:
    iam = world.aws("iam")
    users = world.user_names()
    return {
        "IAM users": {
            name: {
                "keys": len(iam.list_access_keys(UserName=name)["AccessKeyMetadata"]),
                "policies": sorted(
                    one["PolicyName"] for one in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
                ),
                "inline": iam.list_user_policies(UserName=name)["PolicyNames"],
            }
            for name in sorted(users)
        },
        "IAM policies": sorted(one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"]),
    }


def _of_alarms(world: World) -> Inventory:
    events = world.aws("events")
    rules = [one["Name"] for one in events.list_rules()["Rules"]]
    return {
        "topics": sorted(one["TopicArn"] for one in world.aws("sns").list_topics()["Topics"]),
        "event rules": {
            name: [target["Id"] for target in events.list_targets_by_rule(Rule=name)["Targets"]]
            for name in sorted(rules)
        },
    }


def differing(found: Inventory, expected: Inventory) -> dict[str, tuple[Any, Any]]:
    """The kinds of which there is something else than expected: what there is, and what should be."""
    kinds = sorted(found.keys() | expected.keys())
    return {kind: (found.get(kind), expected.get(kind)) for kind in kinds if found.get(kind) != expected.get(kind)}


def assert_sound(world: World) -> None:
    """State and reality agree, nobody's key is left, and Vault holds the one key of its user."""
    live = world.vault.adapter.get("/v1/aws/config/root")["data"]["access_key"]
    [user] = world.aws("iam").list_users(PathPrefix="/vault/")["Users"]
    [key] = world.aws("iam").list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
    assert key["AccessKeyId"] == live
    drift = world.tools("drift")
    assert drift.returncode == 0, drift.stdout + drift.stderr
