"""How `make audit` shows its answers: a table, or JSON."""

import json
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tools.audit import Answer, Auditor
from tools.audit_log import readable
from tools.code_spans import plain


def show(answers: Sequence[Answer], auditor: Auditor, console: Console, *, as_json: bool) -> bool:
    """Prints the answers, and says whether there are any."""
    malformed = auditor.log.malformed
    notes = [*auditor.notes]
    if malformed:
        notes.append(f"lines of the log that are no audit entries, left out: {malformed}")
    if not answers:
        notes.append(
            f"nothing found in {', '.join(map(str, auditor.log.files))}; keys and session ARNs are found only in the "
            f"log of the device that hashed them, {auditor.device!r}, since it was last made"
        )
    if as_json:
        found = {"requests": [answer.values() for answer in answers], "notes": notes}
        console.file.write(json.dumps(found, indent=2) + "\n")
        return bool(answers)
    if answers:
        console.print(_table(answers))
    for note in notes:
        console.print(plain(note), markup=False, highlight=False, soft_wrap=True)
    return bool(answers)


def _table(answers: Sequence[Answer]) -> Table:
    table = Table(title="Requests for credentials", title_justify="left", show_lines=True)
    for heading in ("when", "role", "who", "from", "lease", "acted as", "state"):
        table.add_column(heading, overflow="fold")
    for answer in answers:
        asked = answer.request
        who = [asked.display_name or "unknown token", *_pairs(asked.metadata)]
        if asked.entity:
            who.append(f"entity {asked.entity}")
        table.add_row(
            # Texts, not markup, and plain: callers choose some of these words.
            *(
                Text("\n".join(map(plain, lines)))
                for lines in (
                    [readable(asked.time)],
                    [asked.role],
                    who,
                    filter(None, (asked.address, asked.login)),
                    [asked.lease],
                    [answer.acted_as],
                    [answer.state],
                )
            )
        )
    return table


def _pairs(metadata: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in sorted(metadata.items())]
