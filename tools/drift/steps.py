"""What Pulumi itself finds: `refresh --preview-only` for what was changed by hand, `preview` for what is not applied.

Both change neither the state nor what is there. The providers say which properties differ in meaning; how
Pulumi writes that down is the `--json` form of its previews.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.drift.findings import BY_HAND, NONE, NOT_APPLIED, REFRESH_AND_UPDATE, UPDATE, Finding
from tools.drift.state import ACCESS_KEY, SECRET_BACKEND
from tools.errors import ToolError
from tools.pulumi_stack import PulumiStack

_SECRET = "[secret]"  # noqa: S105 - what Pulumi writes in a secret's place
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What Pulumi writes for a value that only an update will know."""
_OPERATIONS = {"create", "update", "replace", "delete"}
_ROOT_FIELDS = {"accessKey", "secretKey", "region", "iamEndpoint", "stsEndpoint", "usernameTemplate", "maxRetries"}
"""Properties that `vault_side` compares itself, with the values that the providers keep secret."""

_PLACES = {
    SECRET_BACKEND: ("mount {path}", "sys/mounts/{path}"),
    "vault:index/mount:Mount": ("mount {path}", "sys/mounts/{path}"),
    "vault:aws/secretBackendRole:SecretBackendRole": ("role {name}", "{backend}/roles/{name}"),
    "vault:aws/secretBackendStaticRole:SecretBackendStaticRole": (
        "static role {name}",
        "{backend}/static-roles/{name}",
    ),
    "vault:generic/endpoint:Endpoint": ("{path}", "{path}"),
    "vault:index/policy:Policy": ("Vault policy {name}", "sys/policies/acl/{name}"),
    "vault:index/authBackend:AuthBackend": ("auth method {path}", "sys/auth/{path}"),
    "vault:jwt/authBackend:AuthBackend": ("auth method {path}", "auth/{path}/config"),
    "vault:kubernetes/authBackendConfig:AuthBackendConfig": ("auth method {backend}", "auth/{backend}/config"),
    "vault:appRole/authBackendRole:AuthBackendRole": ("AppRole {roleName}", "auth/{backend}/role/{roleName}"),
    "vault:jwt/authBackendRole:AuthBackendRole": ("JWT role {roleName}", "auth/{backend}/role/{roleName}"),
    "vault:kubernetes/authBackendRole:AuthBackendRole": (
        "Kubernetes role {roleName}",
        "auth/{backend}/role/{roleName}",
    ),
    "vault:identity/group:Group": ("group {name}", "identity/group/name/{name}"),
    "vault:identity/groupAlias:GroupAlias": ("alias {name} of a group", "identity/group-alias/id/{id}"),
    "vault:index/audit:Audit": ("audit device {path}", "sys/audit/{path}"),
    "aws:iam/user:User": ("IAM user {name}", "{arn}"),
    "aws:iam/policy:Policy": ("IAM policy {name}", "{arn}"),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": ("policy of IAM user {user}", "{policyArn}"),
    "aws:cloudwatch/eventTarget:EventTarget": ("target of event rule {rule}", "{arn}"),
    "aws:cloudwatch/eventRule:EventRule": ("event rule {name}", "{arn}"),
}


def changed_by_hand(stack: PulumiStack) -> list[Finding]:
    """Compares the state with what is there, by the providers' eyes.

    Raises:
        ToolError: A provider could not look.
    """
    steps = _steps(stack, "refresh", "--preview-only", "--json", "--non-interactive")
    return [finding for step in steps for finding in _by_hand(step)]


def not_applied(stack: PulumiStack) -> list[Finding]:
    """Compares the settings, documents and program with the state.

    Raises:
        ToolError: The program has faults, or could not ask what it must.
    """
    steps = _steps(stack, "preview", "--json", "--non-interactive")
    return [finding for step in steps for finding in _not_applied(step)]


def _steps(stack: PulumiStack, *words: str) -> list[Mapping[str, Any]]:
    done = stack.run(*words, capture=True)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        told = {}
    errors = [one["message"] for one in told.get("diagnostics") or [] if one.get("severity") == "error"]
    if done.returncode or errors or "steps" not in told:
        reason = " ".join(" ".join(errors or [done.stderr or done.stdout]).split())
        raise ToolError(f"nothing was changed, and not all was compared: pulumi {words[0]}: {reason}")
    steps: list[Mapping[str, Any]] = told["steps"]
    return [step for step in steps if step["op"] in _OPERATIONS and _custom(step)]


def _by_hand(step: Mapping[str, Any]) -> Iterator[Finding]:
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    kind, place, what = old["type"], *_named(old)
    if kind == ACCESS_KEY:
        # `iam_side` looks at every key of Vault's users, with what Vault holds beside it.
        return
    if step["op"] == "delete":
        yield Finding(what, "", place, "there", NONE)
        return
    for name in _differing(step):
        told_elsewhere = (kind == SECRET_BACKEND and name in _ROOT_FIELDS) or place.endswith("/config/lease")
        if not told_elsewhere:
            declared, actual = (_value(state.get("outputs") or {}, name) for state in (old, new))
            yield Finding(what, name, place, declared, actual, BY_HAND, REFRESH_AND_UPDATE)


def _not_applied(step: Mapping[str, Any]) -> Iterator[Finding]:
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    if old.get("retainOnDelete") and step["op"] == "delete":
        # A dead seed that the state forgets: that is how Vault's own rotation ends.
        return
    place, what = _named(old or new)
    if step["op"] == "create":
        yield Finding(what, "", place, "to be made", NONE, NOT_APPLIED, UPDATE)
    elif step["op"] == "delete":
        yield Finding(what, "", place, "to be deleted", "there", NOT_APPLIED, UPDATE)
    else:
        for name in _differing(step):
            declared, actual = (_value(state.get("inputs") or {}, name) for state in (new, old))
            yield Finding(what, name, place, declared, actual, NOT_APPLIED, UPDATE)


def _custom(step: Mapping[str, Any]) -> bool:
    # Components and providers are nothing that stands anywhere.
    state = step.get("oldState") or step.get("newState") or {}
    return bool(state.get("custom")) and not str(state.get("type", "")).startswith("pulumi:")


def _differing(step: Mapping[str, Any]) -> list[str]:
    """The names of the properties that differ; one that stands for all if the provider names none."""
    paths = list(step.get("detailedDiff") or step.get("diffReasons") or [""])
    return list(dict.fromkeys(re.split(r"[.\[]", path, maxsplit=1)[0] for path in paths))


def _value(properties: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - whatever a provider returned
    value = properties.get(name)
    text = json.dumps(value)
    if _SECRET in text:
        return "(secret)"
    return "(known after the update)" if _UNKNOWN in text else value


def _named(state: Mapping[str, Any]) -> tuple[str, str]:
    """Where a resource stands, and what it is."""
    known = {**(state.get("inputs") or {}), **(state.get("outputs") or {}), "id": state.get("id")}
    name = state["urn"].rsplit("::", 1)[-1]
    what, place = _PLACES.get(state["type"], (f"{state['type'].rsplit(':', 1)[-1]} {name}", "{arn}"))
    try:
        return place.format_map(known), what.format_map(known)
    except KeyError:
        # What is still to be made has no ARN yet.
        return str(state.get("id") or state["urn"]), f"{state['type'].rsplit(':', 1)[-1]} {name}"
