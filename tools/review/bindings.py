"""What changed of who may read credentials: the bindings, and the auth methods on which they stand."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from settings.access import Binding
from settings.durations import short_duration
from settings.model import Settings
from tools.review.changes import Change, Verdict, verdict_of
from tools.review.fields import changed_fields, fields_of
from tools.review.sides import Side

_WHO = {
    "app_role": (),
    "jwt": ("boundSubject", "boundClaims", "boundAudiences"),
    "kubernetes": ("serviceAccounts", "namespaces"),
    "group": ("alias", "entities"),
}
"""The settings that say who it is."""


def binding_changes(before: Side | None, after: Side | None) -> Iterator[Change]:
    """The bindings and auth methods that changed."""
    for what, field in (("access", "access"), ("auth method", "auth_methods")):
        old, new = (getattr(side.documents.settings, field) if side else {} for side in (before, after))
        yield from _changes(what, old, new, goes=after is None)


def readers(settings: Settings, role: str) -> tuple[str, ...]:
    """Who may read a role's credentials, a text for each binding."""
    return tuple(f"{name} ({_who(binding)})" for name, binding in settings.access.items() if role in binding.roles)


def _who(binding: Binding) -> str:
    fields = fields_of(getattr(binding, binding.method))
    said = [
        f"{name} {' or '.join(texts)}"
        for name, texts in fields.items()
        if name.split(".")[0] in _WHO[binding.method] and texts
    ]
    where = f" at {binding.mount}" if binding.mount else ""
    return "; ".join([f"{to_camel(binding.method)}{where}", *said])


def _changes(what: str, old: Mapping[str, BaseModel], new: Mapping[str, BaseModel], *, goes: bool) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        fields = changed_fields(fields_of(old.get(name)), fields_of(new.get(name)))
        if fields:
            verdict = verdict_of(old.get(name), new.get(name), replaced=False, changed=True)
            yield Change(what, name, verdict, "" if goes else _tokens(old.get(name), verdict), fields)


def _tokens(old: BaseModel | None, verdict: Verdict) -> str:
    """What becomes of what was handed out: a token keeps the names of its policies, a group's are asked each time."""
    if not isinstance(old, Binding) or verdict is Verdict.ADDED:
        return ""
    login = old.app_role or old.jwt or old.kubernetes
    if login is None:
        return "It holds at once, for tokens that live as well."
    return (
        f"Tokens that it gave keep what they have until they expire, in {short_duration(login.token_max_ttl)} at most."
    )
