"""The plots of docs/performance.md, as SVG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.bench.compare import NAMES
from tools.bench.creds import WAYS
from tools.bench.figures import median, percentile
from tools.bench.size import STEPS

# The same figures give the same file: no random ids, no date.
mpl.rcParams["svg.hashsalt"] = "vault-aws"
_WIDTH, _HEIGHT = 4.2, 3.4


def draw(result: Mapping[str, Any], folder: Path) -> list[str]:
    """Draws what was measured.

    Args:
        result: A measurement's result.
        folder: Where the plots are written.

    Returns:
        Their names.
    """
    figure = {"compare": _compare, "size": _size, "creds": _creds}[result["kind"]](result)
    name = f"{result['kind']}.svg"
    figure.savefig(folder / name, metadata={"Date": None})
    return [name]


def _figure(count: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(_WIDTH * count, _HEIGHT), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _compare(result: Mapping[str, Any]) -> Figure:
    """Bars of medians with the span of all runs, a panel a size."""
    figures = {(row["way"], row["roles"], row["step"]): row["seconds"] for row in result["rows"]}
    steps = ("create", "preview", "up", "destroy")
    figure, axes = _figure(len(result["sizes"]))
    for panel, roles in zip(axes, result["sizes"], strict=True):
        ways = [name for name in NAMES if any((name, roles, step) in figures for step in steps)]
        for place, way in enumerate(ways):
            for number, step in enumerate(steps):
                values = figures.get((way, roles, step))
                if values:
                    middle = median(values) or 0.0
                    span = [[middle - min(values)], [max(values) - middle]]
                    at = number + (place - (len(ways) - 1) / 2) * 0.27
                    label = NAMES[way] if number == 0 else None
                    panel.bar(at, middle, 0.25, yerr=span, capsize=2, color=f"C{list(NAMES).index(way)}", label=label)
        panel.set_xticks(range(len(steps)), steps)
        panel.set_ylabel("seconds")
        panel.set_title(f"{roles} roles")
        panel.legend(fontsize="small")
    return figure


def _size(result: Mapping[str, Any]) -> Figure:
    """Lines of time and memory over the number of roles."""
    figure, (times, memory) = _figure(2)
    for step in STEPS:
        rows = [row for row in result["rows"] if row["step"] == step and row["seconds"]]
        roles = [row["roles"] for row in rows]
        times.plot(roles, [median(row["seconds"]) or 0 for row in rows], marker="o", label=step)
        memory.plot(roles, [(median(row["bytes"]) or 0) / 2**20 for row in rows], marker="o", label=step)
    for panel, unit in ((times, "seconds"), (memory, "MiB of memory")):
        panel.set_xlabel("roles")
        panel.set_ylabel(unit)
        panel.set_ylim(bottom=0)
    times.legend(fontsize="small")
    return figure


def _creds(result: Mapping[str, Any]) -> Figure:
    """Lines of latency over clients, p50 whole and p95 dashed, a panel a credential type."""
    types = list(dict.fromkeys(row["type"] for row in result["rows"]))
    figure, axes = _figure(max(1, len(types)))
    for panel, kind in zip(axes, types, strict=False):
        for number, way in enumerate(WAYS):
            rows = [row for row in result["rows"] if row["type"] == kind and row["way"] == way]
            clients = [row["clients"] for row in rows]
            for share, style in ((0.5, "-"), (0.95, "--")):
                values = [percentile(row["latencies"], share) * 1000 for row in rows]
                label = WAYS[way] if style == "-" else None
                panel.plot(clients, values, style, marker="o", color=f"C{number}", label=label)
        panel.set_xticks(sorted({row["clients"] for row in result["rows"]}))
        panel.set_ylim(bottom=0)
        panel.set_xlabel("clients")
        panel.set_ylabel("ms: p50, and p95 dashed")
        panel.set_title(kind)
        panel.legend(fontsize="small")
    return figure
