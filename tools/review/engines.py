"""What changed of the engines: their settings, Vault's own IAM user and the boundary of the users that it makes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from settings.engines import Engine
from settings.model import Settings
from settings.place import ACCOUNTS
from tools.review.changes import Change, FieldChange, Verdict, verdict_of
from tools.review.fields import changed_fields, fields_of
from tools.review.meaning import gained
from tools.review.sides import Side

_ONE_USER = {"vault_user", "permissions_boundary"}


def engine_changes(before: Side | None, after: Side | None) -> Iterator[Change]:
    """The engines, Vault's users and boundaries that changed."""
    names = sorted({name for side in (before, after) if side for name in side.documents.settings.engines})
    for name in names:
        changes = (
            _user_change(name, before, after),
            _boundary_change(name, before, after),
            _engine(name, before, after),
        )
        yield from (change for change in changes if change.verdict is not Verdict.SAME)


def stack_change(stack: str, before: Side | None, after: Side | None) -> Change:
    """Where the stack stands, and what guards it."""
    fields = changed_fields(_stack_fields(before), _stack_fields(after))
    notes = []
    if before and after is None:
        notes.append(
            f"Taking away Pulumi.{stack}.yaml destroys nothing: run `make down STACK={stack}` while the file is there."
        )
    verdict = verdict_of(before, after, replaced=False, changed=bool(fields))
    return Change("stack", stack, verdict, fields=fields, notes=tuple(notes))


def _settings(side: Side | None) -> Settings | None:
    return side.documents.settings if side else None


def _engine_of(name: str, side: Side | None) -> Engine | None:
    settings = _settings(side)
    return settings.engines.get(name) if settings else None


def _user_change(name: str, before: Side | None, after: Side | None) -> Change:
    old, new = _engine_of(name, before), _engine_of(name, after)
    fields = changed_fields(_user_fields(name, before), _user_fields(name, after))
    old_document, new_document = _user_document(name, before), _user_document(name, after)
    gains, losses = tuple(gained(old_document, new_document)), tuple(gained(new_document, old_document))
    replaced = any(change.name == "name" for change in fields)
    verdict = verdict_of(old, new, replaced=replaced, changed=bool(fields or gains or losses))
    notes = tuple(_user_notes(fields, old, new))
    return Change("Vault's IAM user of engine", name, verdict, fields=fields, gained=gains, lost=losses, notes=notes)


def _user_notes(fields: tuple[FieldChange, ...], old: Engine | None, new: Engine | None) -> Iterator[str]:
    if not old or not new:
        return
    changed = {change.name for change in fields}
    if old.rotation != new.rotation:
        yield "A stack is not brought from one rotation to the other: destroy it and make it anew (docs/rotation.md)."
    elif old.rotation == "stack" and old.key_generation != new.key_generation:
        yield "A new key is made and given to Vault, and the old one is deleted last."
    if "name" in changed:
        yield "Another IAM user takes its place, with a key of its own."
    if "path" in changed or old.username_template != new.username_template:
        yield (
            "Apply it when no lease lives: Vault may then manage users of the new names alone, and those of older "
            "leases stay until somebody deletes them (docs/rotation.md)."
        )


def _user_fields(name: str, side: Side | None) -> dict[str, tuple[str, ...]]:
    settings, engine = _settings(side), _engine_of(name, side)
    if not side or not settings or not engine:
        return {}
    managed = side.documents.vault_user(name, **side.place).managed_arns
    return {
        "name": (settings.vault_user_name(name),),
        **fields_of(engine.vault_user, leave_out={"name"}),
        "rotation": (engine.rotation,),
        "managed policies": managed,
    }


def _user_document(name: str, side: Side | None) -> Mapping[str, Any] | None:
    """The statements of all policies that the user carries, as one document."""
    if not side or not _engine_of(name, side):
        return None
    parts = [json.loads(text) for text in side.documents.vault_user(name, **side.place).documents.values()]
    return {"Statement": [statement for part in parts for statement in part["Statement"]]}


def _boundary_change(name: str, before: Side | None, after: Side | None) -> Change:
    old, new = (_boundary(name, side) for side in (before, after))
    fields = changed_fields({"policy": (old[0],)} if old else {}, {"policy": (new[0],)} if new else {})
    old_document, new_document = old and old[1], new and new[1]
    gains, losses = tuple(gained(old_document, new_document)), tuple(gained(new_document, old_document))
    if old is None or new is None:
        # A boundary gives nothing; where there is none, no role takes one.
        gains = losses = ()
    verdict = Verdict.SAME
    if old or new:
        verdict = verdict_of(old, new, replaced=False, changed=bool(fields or gains or losses))
    notes = []
    if verdict is Verdict.CHANGED:
        notes.append("It gives nothing: what it gains are rights that a role's policy may give from now on.")
        if fields:
            notes.append("It holds for new leases; AWS does not delete the old one while users carry it.")
        else:
            notes.append("It holds at once, for leases that live as well.")
        if (old_document is None) != (new_document is None):
            notes.append("What a policy that exists already allows is not in this repository; look it up.")
            gains = losses = ()
    return Change(
        "permissions boundary of engine", name, verdict, fields=fields, gained=gains, lost=losses, notes=tuple(notes)
    )


def _boundary(name: str, side: Side | None) -> tuple[str, Mapping[str, Any] | None] | None:
    if not side or not _engine_of(name, side):
        return None
    found = side.documents.boundary(name, **side.place)
    return (found.arn, json.loads(found.document) if found.document else None) if found else None


def _engine(name: str, before: Side | None, after: Side | None) -> Change:
    old, new = _engine_of(name, before), _engine_of(name, after)
    fields = changed_fields(_engine_fields(name, before), _engine_fields(name, after))
    verdict = verdict_of(old, new, replaced=False, changed=bool(fields))
    notes = []
    if old and after and (not new or any(change.name == "path" for change in fields)):
        notes.append("The old mount goes, and Vault revokes its leases with it.")
    return Change("engine", name, verdict, fields=fields, notes=tuple(notes))


def _engine_fields(name: str, side: Side | None) -> dict[str, tuple[str, ...]]:
    settings, engine = _settings(side), _engine_of(name, side)
    if not settings or not engine:
        return {}
    # What is written of the description moves nobody's rights.
    fields = fields_of(engine, leave_out={*_ONE_USER, "rotation", "description"})
    return {**fields, "path": (settings.mount_path(name),)}


def _stack_fields(side: Side | None) -> dict[str, tuple[str, ...]]:
    if not side:
        return {}
    settings = side.documents.settings
    return {
        ACCOUNTS: side.documents.accounts,
        "aws:region": (settings.region,),
        "vault:address": (str(side.config.get("vault:address", "VAULT_ADDR")),),
        **fields_of(settings, leave_out=set(type(settings).model_fields) - {"environment", "protect", "vault"}),
        **{f"audit.{name}": texts for name, texts in fields_of(settings.audit).items()},
        **{f"alarm.{name}": texts for name, texts in fields_of(settings.alarm).items()},
    }
