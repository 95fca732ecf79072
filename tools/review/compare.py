"""Compares the two sides of a stack."""

from tools.review.bindings import binding_changes
from tools.review.changes import Review, Verdict
from tools.review.engines import engine_changes, stack_change
from tools.review.roles import role_changes
from tools.review.sides import Sides


def compare(sides: Sides) -> Review:
    """All that changed between two sides of a stack."""
    before, after = sides.before, sides.after
    stack = stack_change(sides.stack, before, after)
    changes = [
        *role_changes(before, after),
        *binding_changes(before, after),
        *engine_changes(before, after),
        *([stack] if stack.verdict is not Verdict.SAME else []),
    ]
    return Review(sides.stack, sides.base, sides.commit, stack.verdict, tuple(changes))
