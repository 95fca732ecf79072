"""`make bench`: this stack beside Terraform and a script, round by round on the same Vault."""

from collections.abc import Sequence
from functools import partial

from tools.bench.measure import timed
from tools.bench.session import Servers, Session
from tools.bench.ways import ArticleWay, StackWay, TerraformWay, Way, find_cli, find_terraform
from tools.errors import ToolError

FEW = 100
"""Up to how many roles the steps are measured that take a process or a credential a role."""

NAMES = {"stack": "this stack", "terraform": "Terraform", "article": "one CLI process a write"}
"""What the page calls the ways."""


def compare(session: Session, *, runs: int, sizes: Sequence[int]) -> None:
    """Measures every way at every size, `runs` times, each round on new servers and beginning with another way.

    `session.result["rows"]` has a row for each way, size and step, with the seconds of each run. A way that failed at a
    size is not tried there again.
    """
    session.result.update({"rows": [], "starts": session.starts})
    failed: set[tuple[str, int]] = set()
    for size in sizes:
        for round_ in range(runs):
            with session.servers() as servers:
                ways = _ways(servers, size)
                names = list(ways)
                shift = round_ % len(names)
                for name in (*names[shift:], *names[:shift]):
                    if (name, size) in failed:
                        continue
                    part = partial(_one_round, session, servers, name, ways[name], size)
                    if not session.attempt(f"{NAMES[name]} with {size} roles", part):
                        failed.add((name, size))


def _ways(servers: Servers, size: int) -> dict[str, Way]:
    ways: dict[str, Way] = {"stack": StackWay(servers.scratch, servers.config, servers.log, FEW)}
    if binary := find_terraform():
        ways["terraform"] = TerraformWay(binary, servers.folder / "terraform", servers.scratch, servers.config)
    if size <= FEW:
        ways["article"] = ArticleWay(find_cli(), servers.scratch, servers.config)
    return ways


def _one_round(session: Session, servers: Servers, name: str, way: Way, size: int) -> None:
    for step, action in way.steps(size).items():
        took = timed(action)
        expected = None if step == "destroy" else size
        if (found := servers.roles(way.mount)) != expected:
            raise ToolError(f"{step} left {found} roles at {way.mount}/, and {expected} were to be there")
        session.row("rows", {"way": name, "roles": size, "step": step})["seconds"].append(took)
        session.say(f"{NAMES[name]}, {size} roles, {step}: {took:.2f} s")
