"""The conditions of a statement, taken apart into terms that are true or false at a request.

Two conditions are compared as what can be said without knowing their keys: a further condition only narrows, a further
value of `StringEquals` only widens, and two different terms have nothing to do with each other. So a change between
conditions of which one implies the other in another way is told as both a gain and a loss: too much, never too little.
"""

from collections.abc import Collection
from dataclasses import dataclass

from documents.statements import Statement, condition_values

Term = tuple[str, str, tuple[str, ...]]
"""An operator, a key in lower case, and values."""


@dataclass(frozen=True)
class Conditions:
    """All conditions of one statement.

    Attributes:
        clauses: Each must hold; a clause holds if one of its terms does.
        texts: The conditions as a person reads them.
    """

    clauses: frozenset[frozenset[Term]]
    texts: tuple[str, ...]

    @property
    def terms(self) -> frozenset[Term]:
        """All terms."""
        return frozenset(term for clause in self.clauses for term in clause)

    def hold(self, true: Collection[Term]) -> bool:
        """Whether they hold where these terms are true and no others."""
        return all(any(term in true for term in clause) for clause in self.clauses)


def conditions_of(statement: Statement) -> Conditions:
    """The conditions of a statement."""
    clauses: set[frozenset[Term]] = set()
    texts = []
    for operator, key, written in condition_values(statement.conditions):
        truth = operator.endswith(("Bool", "BoolIfExists", "Null"))
        values = sorted({value.lower() if truth else value for value in written})
        texts.append(f"{operator} {key}: {', '.join(values)}")
        single = [(operator, key.lower(), (value,)) for value in values]
        quantifier, _, plain = operator.rpartition(":")
        negated = "Not" in plain
        if (quantifier == "ForAllValues" and not negated) or (quantifier == "ForAnyValue" and negated):
            # Not the sum of what holds for single values.
            clauses.add(frozenset({(operator, key.lower(), tuple(values))}))
        elif negated:
            clauses |= {frozenset({term}) for term in single}
        else:
            clauses.add(frozenset(single))
    return Conditions(frozenset(clauses), tuple(sorted(texts)))
