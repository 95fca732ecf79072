"""Rules about Vault's policies: no sudo, and no path that is a pattern, but for the leases of one mount."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_pack.facts import Facts
from policy_pack.values import UNKNOWN, Props, known

POLICY = "vault:index/policy:Policy"

_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|#[^\n]*|//[^\n]*|/\*.*?\*/', re.DOTALL)
_STANZA = re.compile(r'path\s+"([^"]*)"\s*\{((?:[^{}]|\{[^{}]*\})*)\}')
_CAPABILITIES = re.compile(r"(?:capabilities|policy)\s*=\s*(\[[^\]]*\]|\"[^\"]*\")")
_LEASES = re.compile(r"sys/leases/(lookup|revoke-prefix|revoke-force)/[^+*/]+/.*")
_ISSUES = ("creds", "sts", "static-creds")


def narrow_policies(kind: str, props: Props, facts: Facts) -> Iterator[str]:  # noqa: ARG001 - every rule's form
    """A Vault policy names its paths, and gives sudo on the leases of a mount alone, where Vault demands it."""
    if kind != POLICY or (text := known(props, "policy")) == UNKNOWN:
        return
    name = known(props, "name")
    stanzas = list(_stanzas(str(text or "")))
    if not stanzas and str(text or "").strip():
        yield f"The Vault policy {name} cannot be read, so nothing can be said of it; write path stanzas."
    for path, capabilities in stanzas:
        if message := _pattern_fault(path):
            yield f"The Vault policy {name} has the path {path!r}, {message}."
        if "sudo" in capabilities and not _LEASES.fullmatch(path):
            yield (
                f"The Vault policy {name} gives sudo on {path!r}; leave it out: only the leases of a mount, at "
                "sys/leases/lookup/MOUNT/ and sys/leases/revoke-prefix/MOUNT/, need it."
            )


def _pattern_fault(path: str) -> str | None:
    if "*" in path:
        return "which means everything that begins so; name the paths"
    segments = path.strip("/").split("/")
    if "+" not in path:
        return None
    if path.count("+") > 1 or segments[-1] != "+" or len(segments) == 1:
        return "in which + stands elsewhere than in place of the last part; name the parts"
    if segments[0] != "sys" and segments[-2] in _ISSUES:
        return "which means the credentials of every role; name the role"
    return None


def _stanzas(text: str) -> Iterator[tuple[str, set[str]]]:
    """Paths and capabilities of a policy, in JSON or in HCL."""
    try:
        content = json.loads(text)
    except ValueError:
        plain = _COMMENT.sub(lambda match: match[1] or " ", text)
        for path, body in _STANZA.findall(plain):
            yield path, {word for part in _CAPABILITIES.findall(body) for word in re.findall(r'"([^"]*)"', part)}
        return
    paths = content.get("path") if isinstance(content, dict) else None
    for path, body in _members(paths):
        yield path, {*map(str, body.get("capabilities") or []), str(body.get("policy") or "")}


def _members(paths: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:  # noqa: ANN401 - any JSON
    # HCL's JSON form takes a list of objects as well as one object.
    for group in paths if isinstance(paths, list) else [paths]:
        if isinstance(group, dict):
            yield from ((path, body) for path, body in group.items() if isinstance(body, dict))
