"""Serves an AWS of one's own on 127.0.0.1 until it is told to end."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tools.errors import ToolError
from tools.local_aws import environment
from tools.private_files import write_private
from tools.processes import LOOPBACK


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts the server and serves until SIGTERM or an interrupt.

    Once everything stands it prints `ready URL` to standard output.

    Args:
        arguments: Those of the command line if none are given.

    Returns:
        0 after an end that was asked for, 1 if it could not start; then one line on standard error says why.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.local_aws", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="the port of 127.0.0.1; 0 takes a free one")
    parser.add_argument("--credentials", type=Path, required=True, help="the file to write the administrator's key to")
    parser.add_argument("--verbose", action="store_true", help="log each request to standard error")
    options = parser.parse_args(arguments)
    try:
        _serve(options.port, options.credentials, verbose=options.verbose)
    except ToolError as error:
        print(f"local AWS: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(port: int, credentials: Path, *, verbose: bool) -> None:
    environment.prepare()
    from tools.local_aws import moto_changes, seed, server  # noqa: PLC0415 - moto reads its settings when imported

    wsgi = server.bind(port, verbose=verbose)
    moto_changes.apply()
    key = seed.make_administrator()
    seed.make_account()
    try:
        write_private(credentials, json.dumps(key))
    except OSError as error:
        raise ToolError(f"the file --credentials {credentials} cannot be written: {error.strerror}") from None
    for ending in (signal.SIGTERM, signal.SIGINT):
        # The loop waits for the handler's thread, so the server must be told from another.
        signal.signal(ending, lambda *_: threading.Thread(target=wsgi.shutdown).start())
    print(f"ready http://{LOOPBACK}:{wsgi.port}", flush=True)
    wsgi.serve_forever()
    wsgi.server_close()


if __name__ == "__main__":
    sys.exit(main())
