"""`make bench-creds`: how fast Vault gives credentials, and what each of the stack's choices costs.

Four ways to read the same role, each one choice further than the one before: a mount made by hand, with Vault's own
username template, read with the root token; the same beside the stack's audit devices; the stack's mount, still with
the root token; and that with the token of a consumer, which its Vault policies bound.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import hvac
import yaml

from tools.bench.session import Servers, Session
from tools.bench.ways import LoggedStack, bring_up, logged, take_down

ROLES: Final = {"iam_user": "report-reader", "assumed_role": "deploy"}
"""The role of each credential type that is read."""

WAYS: Final = {
    "bare": "bare mount, root token",
    "audited": "and the stack's audit devices",
    "root": "the stack's mount, root token",
    "consumer": "the stack's mount, a consumer's token",
}
"""The ways to read, each one choice of the stack further than the one before."""

_BARE, _STACK = "bare", "aws"
_WARM = 20
_ARN = "arn:aws:iam::123456789012:role/deploy"


def measure_creds(session: Session, *, runs: int, clients: Sequence[int], requests: int) -> None:
    """Reads `requests` credentials each way, type and number of clients, `runs` times, and revokes their leases.

    `session.result["rows"]` has a row for each, with the latencies of all reads in seconds and the seconds that each
    run took. Each run is on new servers; the bare mount has its turn before the stack stands, in every second run after
    it is gone, and the other ways take turns to be first.
    """
    session.result["rows"] = []
    for round_ in range(runs):
        with session.servers() as servers:
            part = partial(_one_run, session, servers, round_, clients, requests)
            if not session.attempt(f"run {round_ + 1}", part):
                return


def _one_run(session: Session, servers: Servers, round_: int, clients: Sequence[int], requests: int) -> None:
    stack = logged(servers.scratch.stack, servers.log)
    root = servers.scratch.stack.env["VAULT_TOKEN"]
    measure = partial(_measure, session, servers, clients=clients, requests=requests)
    _mount_bare(servers)
    for role in ROLES.values():
        # The first reads find servers that have not worked yet; they are not measured.
        load(partial(_reader, servers, root, f"{_BARE}/creds/{role}"), 1, _WARM)
        _revoke(servers, _BARE, role)
    if round_ % 2 == 0:
        measure("bare", _BARE, root)
    _write_config(servers, stack)
    bring_up(stack, len(ROLES))
    beside = [("audited", _BARE, root), ("root", _STACK, root), ("consumer", _STACK, _log_in(servers))]
    shift = round_ % len(beside)
    for way, mount, token in (*beside[shift:], *beside[:shift]):
        measure(way, mount, token)
    take_down(stack)
    if round_ % 2 == 1:
        measure("bare", _BARE, root)


def _measure(
    session: Session, servers: Servers, way: str, mount: str, token: str, *, clients: Sequence[int], requests: int
) -> None:
    for kind, role in ROLES.items():
        for count in clients:
            latencies, took = load(partial(_reader, servers, token, f"{mount}/creds/{role}"), count, requests)
            _revoke(servers, mount, role)
            row = session.row("rows", {"way": way, "type": kind, "clients": count})
            row["seconds"].append(took)
            row.setdefault("latencies", []).extend(latencies)
            session.say(f"{WAYS[way]}, {kind}, clients {count}: {requests / took:.1f} a second")
            session.save()


def _revoke(servers: Servers, mount: str, role: str) -> None:
    # Vault answers before it has revoked, unless it is told to wait; the next reading must not compete with it.
    servers.vault.adapter.put(f"/v1/sys/leases/revoke-prefix/{mount}/creds/{role}", json={"sync": True})


def load(make_reader: Callable[[], Callable[[], object]], clients: int, requests: int) -> tuple[list[float], float]:
    """Has clients read at once until so many reads are done; each client has a thread and a reader of its own.

    Args:
        make_reader: Makes a client's reader, before the clock starts. What a reader raises ends the measurement.
        clients: How many read at once.
        requests: How many reads in all.

    Returns:
        The seconds of each read, and of all of them together.
    """
    readers = [make_reader() for _ in range(clients)]
    left = threading.Semaphore(requests)

    def work(reader: Callable[[], object]) -> list[float]:
        taken = []
        while left.acquire(blocking=False):
            started = time.monotonic()
            reader()
            taken.append(time.monotonic() - started)
        return taken

    started = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        latencies = [latency for taken in pool.map(work, readers) for latency in taken]
    return latencies, time.monotonic() - started


def _reader(servers: Servers, token: str, path: str) -> Callable[[], object]:
    client = hvac.Client(url=servers.scratch.stack.env["VAULT_ADDR"], token=token)
    # A connection is made before the clock starts; the pool of each client keeps it.
    client.sys.read_health_status(method="GET")
    return partial(client.adapter.get, f"/v1/{path}")


def _write_config(servers: Servers, stack: LoggedStack) -> None:
    """Pulumi.local.yaml as it is, but for a consumer of both roles."""
    config = servers.config
    config["vault-aws:access"]["reporting"]["roles"] = sorted(ROLES.values())
    if stack.config_file is None:
        raise ValueError("a stack of the project itself is not measured")
    stack.config_file.write_text(yaml.safe_dump({"config": config}))


def _log_in(servers: Servers) -> str:
    """The token of the stack's consumer, by its AppRole."""
    vault = servers.vault
    role_id = vault.adapter.get("/v1/auth/approle/role/reporting/role-id")["data"]["role_id"]
    secret_id = vault.adapter.post("/v1/auth/approle/role/reporting/secret-id")["data"]["secret_id"]
    login = vault.adapter.post("/v1/auth/approle/login", json={"role_id": role_id, "secret_id": secret_id})
    return str(login["auth"]["client_token"])


def _mount_bare(servers: Servers) -> None:
    """A mount as by hand, with the stack's roles and none of its other choices."""
    vault, env = servers.vault, servers.scratch.stack.env
    vault.sys.enable_secrets_engine("aws", path=_BARE)
    root: dict[str, Any] = {"region": "us-west-2", "access_key": env["AWS_ACCESS_KEY_ID"]}
    root |= {"secret_key": env["AWS_SECRET_ACCESS_KEY"]}
    root |= dict.fromkeys(("iam_endpoint", "sts_endpoint"), env["AWS_ENDPOINT_URL"])
    vault.adapter.post(f"/v1/{_BARE}/config/root", json=root)
    document = (servers.scratch.stack.project / "policies" / "report-reader.json").read_text()
    policy = json.dumps(json.loads(document.replace("${partition}", "aws")))
    user = {"credential_type": "iam_user", "policy_document": policy, "iam_groups": ["engineers"]}
    vault.adapter.post(f"/v1/{_BARE}/roles/{ROLES['iam_user']}", json=user)
    session = {"credential_type": "assumed_role", "role_arns": [_ARN]}
    vault.adapter.post(f"/v1/{_BARE}/roles/{ROLES['assumed_role']}", json=session)
