"""What changed of the roles and static roles: what their credentials may do, and who may read them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from documents.findings import findings, managed_policy_finding
from settings.durations import short_duration
from settings.exemptions import Exemption
from settings.roles import AssumedRole, IamUserRole, Role, SessionTokenRole
from settings.static_roles import StaticRole
from settings.trace import trace_tags
from tools.review.bindings import readers
from tools.review.changes import Change, FieldChange, Verdict, verdict_of
from tools.review.fields import changed_fields, fields_of
from tools.review.meaning import gained
from tools.review.sides import Side

_SAME_MEANING = "The policy is written in another way, and means the same."
_READERS = "may be read by"
_EXEMPTION = "exemption from "
_NO_REVOCATION = "AWS does not take back a session before its time"


def role_changes(before: Side | None, after: Side | None) -> Iterator[Change]:
    """Every role of either side; then the static roles that changed."""
    for name in _names(before, after, "roles"):
        yield _role_change(name, before, after)
    for name in _names(before, after, "static_roles"):
        change = _static_change(name, before, after)
        if change.verdict is not Verdict.SAME:
            yield change


def _names(before: Side | None, after: Side | None, field: str) -> list[str]:
    return sorted({name for side in (before, after) if side for name in getattr(side.documents.settings, field)})


def _role_change(name: str, before: Side | None, after: Side | None) -> Change:
    old, new = (side.documents.settings.roles.get(name) if side else None for side in (before, after))
    fields = changed_fields(_fields(name, before), _fields(name, after))
    old_document, new_document = (_document(name, side) for side in (before, after))
    gains, losses = tuple(gained(old_document, new_document)), tuple(gained(new_document, old_document))
    old_findings, new_findings = (_findings(name, side) for side in (before, after))
    notes = list(_session_notes(old, new))
    verdict = verdict_of(
        old,
        new,
        replaced=_replaced(name, before, after),
        changed=bool(fields or gains or losses or notes) or old_findings != new_findings,
    )
    if (
        verdict in (Verdict.SAME, Verdict.CHANGED)
        and not (gains or losses)
        and _text(name, before) != _text(name, after)
    ):
        notes.append(_SAME_MEANING)
    return Change(
        "role",
        name,
        verdict,
        _leases(name, verdict, before, after, rights=bool(gains or losses) or any(map(_of_rights, fields))),
        fields,
        gains,
        losses,
        tuple(text for text in new_findings if text not in old_findings),
        tuple(text for text in old_findings if text not in new_findings),
        tuple(notes),
    )


def _of_rights(change: FieldChange) -> bool:
    """Whether a setting is about what a credential may do."""
    return change.name != _READERS and not change.name.startswith(_EXEMPTION) and not change.name.endswith("Ttl")


def _fields(name: str, side: Side | None) -> dict[str, tuple[str, ...]]:
    settings = side and side.documents.settings
    role = settings and settings.roles.get(name)
    if not side or not settings or not role:
        return {}
    engine = settings.engine_of(name)
    own = fields_of(role, leave_out={"engine", "exemptions", "probes", "policy", "permissions_boundary_arn"})
    # The tags that the stack gives to every user say nothing of the role.
    hidden = {f"tags.{tag}" for tag in trace_tags(name, settings.environment, settings.mount_path(engine))}
    boundary = side.documents.boundary_arns(engine, **side.place).get(name)
    found = {field: texts for field, texts in own.items() if field not in hidden}
    found["mount"] = (settings.mount_path(engine),)
    if boundary:
        found["permissionsBoundary"] = (boundary,)
    for exemption in getattr(role, "exemptions", []):
        found |= {f"{_EXEMPTION}{kind}": (_exemption(exemption),) for kind in exemption.findings}
    found[_READERS] = readers(settings, name)
    return found


def _exemption(exemption: Exemption) -> str:
    return f"until {exemption.expires}: {exemption.reason}"


def _text(name: str, side: Side | None) -> object:
    """The policy's file and what it holds, to see whether anything of it was written anew."""
    policy = side and side.documents.policies.get(name)
    return policy and (policy.path, policy.content)


def _document(name: str, side: Side | None) -> Mapping[str, Any] | None:
    text = side and side.documents.role_documents(**side.place).get(name)
    document: Mapping[str, Any] | None = json.loads(text) if text else None
    return document


def _findings(name: str, side: Side | None) -> list[str]:
    """What the checks find, without the place, which moves when a statement does."""
    role = side and side.documents.settings.roles.get(name)
    if not side or not role or isinstance(role, SessionTokenRole):
        return []
    policy = side.documents.policies.get(name)
    found = list(findings(policy.content)) if policy else []
    found += [finding for arn in role.policy_arns if (finding := managed_policy_finding(arn, ""))]
    let_off = {kind: _exemption(exemption) for exemption in role.exemptions for kind in exemption.findings}
    texts = (f"{finding.kind}: {finding.message} (exempted {let_off.get(finding.kind, 'not')})" for finding in found)
    return sorted(set(texts))


def _unbounded(role: Role | None) -> bool:
    """Whether a credential has all that its IAM role, or Vault's user, may do."""
    if isinstance(role, AssumedRole):
        return not (role.policy or role.policy_arns or role.iam_groups)
    return isinstance(role, SessionTokenRole)


def _session_notes(old: Role | None, new: Role | None) -> Iterator[str]:
    if new and _unbounded(new) and not (old and _unbounded(old) and type(old) is type(new)):
        whose = "the IAM roles that it names" if isinstance(new, AssumedRole) else "Vault's own user"
        yield f"No policy narrows its sessions: they have all the rights of {whose}, which are not in this repository."
    if old and new and _unbounded(old) and not _unbounded(new):
        yield "Its sessions had all the rights of what they were made from; what it gains is what is left of these now."
    if new and isinstance(new, AssumedRole) and not _unbounded(new):
        yield from (
            []
            if isinstance(old, AssumedRole)
            else [
                "Its policy narrows what the IAM roles that it names allow; what those are is not in this repository."
            ]
        )
    old_managed, new_managed = ((role and getattr(role, "policy_arns", None)) or [] for role in (old, new))
    old_groups, new_groups = ((role and getattr(role, "iam_groups", None)) or [] for role in (old, new))
    if (old_managed, old_groups) != (new_managed, new_groups):
        yield "What managed policies and groups allow is not in this repository; look them up."


def _replaced(name: str, before: Side | None, after: Side | None) -> bool:
    """Whether Pulumi deletes the role and makes it anew.

    Vault's provider does so at another mount or another list of `role_arns` (terraform-provider-vault,
    `resource_aws_secret_backend_role.go`); and a session_token role is another resource (`components.role`).
    """
    if not before or not after or not all(name in side.documents.settings.roles for side in (before, after)):
        return False
    old, new = before.documents.settings, after.documents.settings
    arns = [set(getattr(side.roles[name], "role_arns", [])) for side in (old, new)]
    tokens = [isinstance(side.roles[name], SessionTokenRole) for side in (old, new)]
    mounts = [(side.engine_of(name), side.mount_path(side.engine_of(name))) for side in (old, new)]
    return arns[0] != arns[1] or tokens[0] != tokens[1] or mounts[0] != mounts[1]


def _leases(name: str, verdict: Verdict, before: Side | None, after: Side | None, *, rights: bool) -> str:
    """What becomes of the leases of a role that live."""
    if before is None or verdict in (Verdict.ADDED, Verdict.SAME) or (verdict is Verdict.CHANGED and not rights):
        return ""
    old = before.documents.settings
    engine, role = old.engine_of(name), old.roles[name]
    mount = old.mount_path(engine)
    if after is None:
        return "Taking away the file ends nothing; `make down` before it does."
    new = after.documents.settings
    if engine not in new.engines or new.mount_path(engine) != mount:
        return f"The mount `{mount}` goes, and Vault revokes its leases with it."
    longest = short_duration(getattr(role, "max_sts_ttl", None) or old.engines[engine].max_lease_ttl)
    revoke = f"vault lease revoke -prefix {mount}/creds/{name}"
    ends = f"`{revoke}` ends them" if isinstance(role, IamUserRole) else _NO_REVOCATION
    if verdict is Verdict.CHANGED:
        keep = "keep" if isinstance(role, IamUserRole) else "keep at most"
        return f"Leases that live {keep} the rights with which they were made, for {longest} at most; {ends}."
    return f"Its leases live on until they expire, in {longest} at most; {ends}."


def _static_change(name: str, before: Side | None, after: Side | None) -> Change:
    old, new = (side.documents.settings.static_roles.get(name) if side else None for side in (before, after))
    fields = changed_fields(_static_fields(name, before), _static_fields(name, after))
    # Vault's provider replaces it at another user, and the component at another period (components/static_role.py).
    forcing = {"userName", "rotationPeriod", "mount"}
    replaced = any(change.name in forcing for change in fields)
    verdict = verdict_of(old, new, replaced=replaced, changed=bool(fields))
    leases = "The user's key is replaced at once." if verdict is Verdict.REPLACED else ""
    if verdict is Verdict.REMOVED and after:
        leases = "Vault deletes the user's key; the IAM user stays."
    return Change("static role", name, verdict, leases, fields)


def _static_fields(name: str, side: Side | None) -> dict[str, tuple[str, ...]]:
    settings = side and side.documents.settings
    role: StaticRole | None = settings.static_roles.get(name) if settings else None
    if not settings or role is None:
        return {}
    mount = settings.mount_path(role.engine or next(iter(settings.engines)))
    return {
        **fields_of(role, leave_out={"engine"}),
        "mount": (mount,),
        _READERS: readers(settings, name),
    }
