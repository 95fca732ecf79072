"""The watch on child processes, and the load of many clients."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from tools.bench.creds import load
from tools.bench.measure import watched

HOLD = "import time; held = bytearray(60 * 2**20); time.sleep(0.8)"


def hold() -> None:
    subprocess.run([sys.executable, "-c", HOLD], check=True)


def test_memory_of_children_is_seen_and_that_of_servers_is_not() -> None:
    # Other tests of this process may have servers of their own.
    others = {child.pid for child in psutil.Process().children()}
    took, held = watched(hold, servers=others)
    assert took >= 0.8
    assert 60 * 2**20 < held < 120 * 2**20
    server = subprocess.Popen([sys.executable, "-c", HOLD])
    try:
        assert watched(lambda: time.sleep(0.5), servers={*others, server.pid})[1] == 0
    finally:
        server.wait()


def test_a_failure_is_passed_on_and_ends_the_watch() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        watched(lambda: 1 // 0, servers=())
    assert threading.active_count() == before


def test_clients_read_at_once_until_all_is_read() -> None:
    at_once = threading.Barrier(4, timeout=10)
    together: list[list[int]] = []

    def make_reader() -> Callable[[], None]:
        mine: list[int] = []
        together.append(mine)

        def read() -> None:
            if not mine:
                at_once.wait()
            mine.append(1)
            time.sleep(0.01)

        return read

    latencies, took = load(make_reader, 4, 30)
    assert (len(latencies), sum(map(len, together)), len(together)) == (30, 30, 4)
    assert took >= max(latencies) >= 0.01
