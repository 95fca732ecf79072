"""docs/performance.md: written from what was measured, a part a measurement, between marks; the rest is people's."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from tools.bench.compare import FEW, NAMES
from tools.bench.creds import WAYS
from tools.bench.figures import bend, growth, median, milliseconds, percentile, ratio, seconds, size, table
from tools.bench.plots import draw
from tools.bench.size import STEPS
from tools.bench.ways import UNGUARDED
from tools.generated import replace_part

Result = Mapping[str, Any]

PARTS: Final = {"compare": "Side by side", "size": "As it grows", "creds": "Credentials"}
"""The parts of the page, in its order, by kind of measurement."""

_START: Final = "# Performance\n\nEach part is of one run of the command that it names.\n"
_STEP_NAMES: Final = {
    "create": "create",
    "preview": "no-change preview",
    UNGUARDED: "the same without the policy pack",
    "up": "no-change update",
    "refresh": "refresh",
    "change of one role": "change of one role",
    "destroy": "destroy",
}


def write_page(out: Path) -> Path:
    """Writes the page of a folder, and its plots, from the results in `out/performance`; gives the page.

    Raises:
        ToolError: The page has no place for a part.
    """
    page = out / "performance.md"
    text = page.read_text(encoding="utf-8") if page.exists() else _START
    for kind, title in PARTS.items():
        file = out / "performance" / f"{kind}.json"
        if file.exists():
            result = json.loads(file.read_text(encoding="utf-8"))
            plots = draw(result, file.parent)
            begin, end = marks(kind)
            if begin not in text:
                text = _with_place(text, kind, f"## {title}\n\n{begin}\n{end}\n")
            text = replace_part(text, begin, end, render(result, plots), page.name)
    page.write_text(text, encoding="utf-8")
    return page


def _with_place(text: str, kind: str, place: str) -> str:
    """The page with a place for a part: before the headings of later parts, or at the end."""
    later = list(PARTS)[list(PARTS).index(kind) + 1 :]
    ends = [found for other in later if (found := text.find(f"\n## {PARTS[other]}\n")) >= 0]
    at = min(ends, default=len(text))
    return f"{text[:at]}\n{place}{text[at:]}"


def marks(kind: str) -> tuple[str, str]:
    """What stands before and after the part of a measurement."""
    return f"<!-- measured: {kind} -->", f"<!-- measured until here: {kind} -->"


def render(result: Result, plots: Sequence[str] = ()) -> str:
    """One measurement in Markdown: how it was made, its plots and its tables.

    Args:
        result: What was measured.
        plots: The names of its plots, beside its JSON.
    """
    parts = {"compare": _compare, "size": _size, "creds": _creds}[result["kind"]](result)
    images = [f"![{_alt(name)}](performance/{name})" for name in plots]
    failures = [f"- {failure['what']} failed: {_line(failure['reason'])}" for failure in result["failures"]]
    return "\n\n".join(filter(None, [_facts(result), *images, *parts, "\n".join(failures)]))


def _facts(result: Result) -> str:
    """The command, the machine and the versions."""
    machine = result["machine"]
    versions = "; ".join(f"{name} {value}" for name, value in machine["versions"].items())
    return (
        f"```sh\n{result['command']}\n```\n\n"
        f"{machine['cores']} cores ({machine['processor']}), {size(machine['memory'])} of memory, {machine['system']}; "
        f"load {machine['load']} before the run; {machine['day']}, commit {machine['commit']}. {versions}."
    )


# --- side by side ---


def _compare(result: Result) -> list[str]:
    figures = {(row["way"], row["roles"], row["step"]): row["seconds"] for row in result["rows"]}
    ways = [name for name in NAMES if any(way == name for way, _, _ in figures)]
    absent = (
        "" if "terraform" in ways else "\n\nNeither `terraform` nor `tofu` was on PATH, so there is no such column."
    )
    rows = []
    for roles in result["sizes"]:
        for step in ("create", "preview", UNGUARDED, "up", "destroy"):
            if step == UNGUARDED and ("stack", roles, step) not in figures:
                continue
            medians = {way: median(figures.get((way, roles, step), [])) for way in NAMES}
            cells = [_spread(figures.get((way, roles, step), [])) for way in ways]
            rows.append([f"{roles} roles, {_STEP_NAMES[step]}", *cells, ratio(medians["stack"], medians["terraform"])])
    heading = ["median (least to most)", *(NAMES[way] for way in ways), "this stack / Terraform"]
    note = (
        f"{_of_runs(result)}; each round is on new servers, and begins with another way. All write the same "
        "roles and Vault policies on a mount; this stack also makes its IAM user, key, policies and boundary, and asks "
        f"its policy pack. A process a write is measured up to {FEW} roles; it has no preview, and an update is a "
        f"create.{absent}"
    )
    return [note, table(heading, rows), _targets(result, figures)]


def _targets(result: Result, figures: Mapping[tuple[str, int, str], Sequence[float]]) -> str:
    """The targets, each with its figure: a ratio of medians, or a median in seconds."""

    def middle(way: str, roles: int, step: str) -> float | None:
        return median(figures.get((way, roles, step), []))

    rows = []

    def target(what: str, figure: float | None, most: float, unit: str = "") -> None:
        if figure is not None:
            cells = [f"{figure:.2f}{unit}", f"{most:g}{unit}", "met" if figure <= most else "**missed**"]
            rows.append([what, *cells])

    def over(step: str, roles: int, other: str) -> float | None:
        mine, theirs = middle("stack", roles, step), middle(other, roles, step)
        return mine / theirs if mine is not None and theirs else None

    for roles in result["sizes"]:
        target(f"create of {roles} roles, times Terraform's", over("create", roles, "terraform"), 1.0)
        target(f"no-change preview of {roles} roles, times Terraform's", over("preview", roles, "terraform"), 1.5)
        target(f"destroy of {roles} roles, times Terraform's", over("destroy", roles, "terraform"), 1.0)
        target(f"create of {roles} roles, times one process a write", over("create", roles, "article"), 0.1)
        proved = middle("stack", roles, "verified up")
        target(f"`make up` of {roles} roles with nothing to change, every role proved", proved, 20, " s")
    target("start of the embedded servers", median(result["starts"]), 5, " s")
    return table(["target", "measured", "at most", ""], rows)


def _spread(values: Sequence[float]) -> str:
    middle = median(values)
    if middle is None:
        return "—"
    return (
        f"{seconds(middle)} ({seconds(min(values))} to {seconds(max(values))})" if len(values) > 1 else seconds(middle)
    )


# --- as it grows ---


def _size(result: Result) -> list[str]:
    times = _points(result, "seconds")
    memory = _points(result, "bytes")
    states = {int(roles): float(value) for roles, value in result["states"].items()}
    steps = [step for step in STEPS if step in times]
    sizes = sorted({roles for points in times.values() for roles in points})
    rows = [[f"{roles} roles", *(seconds(times[step].get(roles)) for step in steps)] for roles in sizes]
    held = [
        [
            f"{roles} roles",
            *(size(memory[step][roles]) if roles in memory[step] else "—" for step in steps),
            size(states[roles]) if roles in states else "—",
        ]
        for roles in sizes
    ]
    names = [_STEP_NAMES[step] for step in steps]
    note = (
        f"{_of_runs(result)}, over {result['mounts']} mounts, on new servers each time, with the policy pack. "
        "Memory is the most that Pulumi, its plugins and programs held at once (resident set sizes added up, looked at "
        "ten times a second); the state is as `pulumi stack export` prints it."
    )
    parts = [note, table(["time", *names], rows), table(["memory", *names, "state"], held), _growth(times, steps)]
    return [*parts, _split(result)] if result["stacks"] else parts


def _points(result: Result, unit: str) -> dict[str, dict[int, float]]:
    """The medians of a unit by step and number of roles."""
    points: dict[str, dict[int, float]] = {}
    for row in result["rows"]:
        if (middle := median(row[unit])) is not None:
            points.setdefault(row["step"], {})[row["roles"]] = middle
    return points


def _growth(times: Mapping[str, Mapping[int, float]], steps: Sequence[str]) -> str:
    rows = []
    for step in steps:
        sizes = sorted(times[step])
        grown = growth(times[step])
        cells = [f"{before} to {size}: {grown[size] * 1000:.1f} ms" for before, size in pairwise(sizes)]
        up_to = bend(times[step])
        linear = "too few sizes to tell" if len(sizes) <= 2 else f"up to {up_to}" if up_to else "throughout"  # noqa: PLR2004
        rows.append([_STEP_NAMES[step], "; ".join(cells) or "—", linear])
    return table(["what each further role adds", "by interval", "linear"], rows)


def _split(result: Result) -> str:
    rows = []
    largest = max(result["sizes"])
    whole = _points(result, "seconds")
    for step in STEPS:
        found = [row for row in result["stacks"] if row["step"] == step]
        if found:
            times = [second for row in found for second in row["seconds"]]
            held = max(count for row in found for count in row["bytes"])
            one = seconds(whole.get(step, {}).get(largest))
            cells = [seconds(median(times)), seconds(max(times)), seconds(sum(times)), size(held), one]
            rows.append([f"{_STEP_NAMES[step]} ({len(times)} stacks)", *cells])
    heading = ["", "a stack, median", "slowest", "one after the other", "memory", f"{largest} roles as one stack"]
    note = (
        f"{largest} roles as {result['split']} stacks, each with a mount, a state and a file of its own, on one "
        "Vault; all stand before the first is destroyed:"
    )
    return f"{note}\n\n{table(heading, rows)}"


# --- credentials ---


def _creds(result: Result) -> list[str]:
    note = (
        f"{result['requests']} reads of `creds/<role>` in each run (runs: {result['runs']}), by so many threads, each "
        "with a connection of its own; leases are revoked between readings. Each way goes one choice further than the "
        "one before: audit devices, then the mount's username template, boundary and tags, then Vault policies. AWS is "
        "the embedded one, a single Python process on the same machine."
    )
    tables = []
    for kind in dict.fromkeys(row["type"] for row in result["rows"]):
        rows = []
        for way in WAYS:
            for row in result["rows"]:
                if row["type"] == kind and row["way"] == way:
                    rate = len(row["latencies"]) / sum(row["seconds"])
                    cells = [str(row["clients"]), *(milliseconds(percentile(row["latencies"], p)) for p in (0.5, 0.95))]
                    rows.append([WAYS[way], *cells, f"{rate:.1f}"])
        tables.append(table([f"`{kind}`", "clients", "p50", "p95", "reads a second"], rows))
    return [note, *tables]


def _of_runs(result: Result) -> str:
    return f"Medians of {result['runs']}" if result["runs"] > 1 else "One run"


def _alt(name: str) -> str:
    return name.rsplit(".", 1)[0].replace("-", " ")


def _line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 300 else f"{words[:300]}…"  # noqa: PLR2004
