"""Rules about the secrets engine: its roles and its leases, by whichever resource they are made."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import PydanticCustomError

from documents.findings import findings, managed_policy_finding
from documents.grammar import grammar_faults
from policy_pack.facts import Facts
from policy_pack.values import UNKNOWN, Props, known
from settings.durations import format_duration, parse_duration

ROLE = "vault:aws/secretBackendRole:SecretBackendRole"
BACKEND = "vault:aws/secretBackend:SecretBackend"
ENDPOINT = "vault:generic/endpoint:Endpoint"

_ROLE_PATH = re.compile(r".+/roles/([^/]+)")
_LEASE_PATH = re.compile(r".+/config/lease")


@dataclass(frozen=True)
class _Role:
    name: str
    credential_type: str
    document: object
    policy_arns: list[str]
    boundary: object
    ttls: dict[str, Any] = field(default_factory=dict)


def least_privilege(kind: str, props: Props, facts: Facts) -> Iterator[str]:
    """A role's policy has no finding from which the role is not exempted."""
    role = _role(kind, props)
    if role is None:
        return
    exempted = facts.exempted.get(role.name, frozenset())
    found = [managed_policy_finding(arn, f"policyArns[{index}]") for index, arn in enumerate(role.policy_arns)]
    if isinstance(role.document, str) and role.document not in ("", UNKNOWN):
        try:
            document = json.loads(role.document)
        except ValueError:
            document = None
        if not isinstance(document, dict) or any(grammar_faults(document)):
            yield f"The policy document of role {role.name} is not an IAM policy, so nothing can be said of it."
        else:
            found += findings(document)
    for finding in found:
        if finding and finding.kind not in exempted:
            yield (
                f"Role {role.name} has a {finding.kind} at {finding.place}: {finding.message}; or exempt it with a "
                "reason and an end, in the stack's file."
            )


def boundary(kind: str, props: Props, facts: Facts) -> Iterator[str]:  # noqa: ARG001 - every rule's form
    """A role that makes IAM users gives them a permissions boundary."""
    role = _role(kind, props)
    if role and role.credential_type == "iam_user" and not role.boundary:
        yield (
            f"Role {role.name} makes IAM users without a permissions boundary, which would hold whatever its policy "
            "becomes; set permissionsBoundaryArn."
        )


def lifetimes(kind: str, props: Props, facts: Facts) -> Iterator[str]:
    """No lease and no session lives longer than the environment allows."""
    limit = facts.environment.longest_lease
    for owner, name, value in _lifetimes(kind, props):
        if value == UNKNOWN:
            continue
        if value is None:
            yield (
                f"{owner} has no {name}, so that Vault's own maximum counts (768h unless changed); set it to "
                f"{format_duration(limit)} or less, the most in {facts.name}."
            )
            continue
        try:
            seconds = value if isinstance(value, int | float) else parse_duration(value)
        except PydanticCustomError:
            yield f"{owner} has a {name} that is no duration ({value!r}); write one such as 1h0m0s."
            continue
        if seconds > limit:
            yield (
                f"{owner} has a {name} of {format_duration(int(seconds))}, over {format_duration(limit)}, the most in "
                f"{facts.name}; lower it."
            )


def _lifetimes(kind: str, props: Props) -> Iterator[tuple[str, str, Any]]:
    if kind == BACKEND:
        path = known(props, "path") or "aws"
        yield f"The mount {path}", "maxLeaseTtlSeconds", known(props, "maxLeaseTtlSeconds")
        if (default := known(props, "defaultLeaseTtlSeconds")) is not None:
            yield f"The mount {path}", "defaultLeaseTtlSeconds", default
    elif kind == ENDPOINT and _LEASE_PATH.fullmatch(str(known(props, "path"))):
        data = _data(props)
        for name in ("lease", "lease_max"):
            yield f"The lease configuration {known(props, 'path')}", name, data.get(name)
    elif role := _role(kind, props):
        for name, value in role.ttls.items():
            if value:
                yield f"Role {role.name}", name, value


def _role(kind: str, props: Props) -> _Role | None:
    if kind == ROLE:
        return _Role(
            str(known(props, "name")),
            str(known(props, "credentialType")),
            known(props, "policyDocument"),
            list(known(props, "policyArns") or []),
            known(props, "permissionsBoundaryArn"),
            {name: known(props, name) for name in ("defaultStsTtl", "maxStsTtl")},
        )
    match = _ROLE_PATH.fullmatch(str(known(props, "path"))) if kind == ENDPOINT else None
    data = _data(props) if match else {}
    if match is None or "credential_type" not in data:
        return None
    arns = data.get("policy_arns") or []
    return _Role(
        match[1],
        str(data["credential_type"]),
        data.get("policy_document"),
        arns if isinstance(arns, list) else str(arns).split(","),
        data.get("permissions_boundary_arn"),
        {name: data.get(name) for name in ("default_sts_ttl", "max_sts_ttl")},
    )


def _data(props: Props) -> Mapping[str, Any]:
    try:
        data = json.loads(str(known(props, "dataJson")))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
