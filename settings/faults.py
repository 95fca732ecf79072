"""What is wrong with a stack's settings or documents, said one line a fault.

Every check collects faults instead of stopping at the first, so that a person mends them in one go.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One fault, as one line: `WHERE: FIELD: MESSAGE`.

    Attributes:
        where: The file, as the person would type its path, with the role where one is concerned
            (`policies/reader.json (role reader)`).
        field: The place in that file (`roles.reader.policy`, `Statement[0].Action`, `line 3, column 7`).
        message: The value, the rule it breaks and what would be right.
    """

    where: str
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.where}: {self.field}" if self.field else self.where
        line = " ".join(f"{place}: {self.message}".split())
        # Whoever wrote a name or a value must not write to the terminal.
        return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in line)


class FaultsError(Exception):
    """Faults that stop the work before anything is created.

    Attributes:
        faults: All that were found, in the order of their places.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))
