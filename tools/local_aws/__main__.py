"""`python -m tools.local_aws`: serves until it is told to end."""

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from pathlib import Path

from tools.errors import ToolError
from tools.private_files import write_private


def main() -> int:
    """Starts the server, seeds the account, and says `ready` once both are done."""
    parser = argparse.ArgumentParser(prog="python -m tools.local_aws", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="the port of 127.0.0.1; 0 takes a free one")
    parser.add_argument("--credentials", type=Path, required=True, help="the file for the administrator's access key")
    parser.add_argument("--verbose", action="store_true", help="log each request to standard error")
    options = parser.parse_args()
    try:
        _serve(options.port, options.credentials, verbose=options.verbose)
    except ToolError as error:
        print(f"local AWS: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(port: int, credentials: Path, *, verbose: bool) -> None:
    from tools.local_aws import moto_changes  # noqa: PLC0415

    try:
        moto_changes.apply()
    except RuntimeError as error:
        raise ToolError(str(error)) from None
    from tools.local_aws import seed, server  # noqa: PLC0415

    try:
        with contextlib.redirect_stderr(None):
            wsgi = server.make(port, verbose=verbose)
    except (OSError, SystemExit) as error:
        raise ToolError(f"port {port} of {server.LOOPBACK} is in use: choose another --port, or 0 for a free one") from error
    key = seed.make_administrator()
    seed.make_account()
    write_private(credentials, json.dumps(key))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=wsgi.shutdown).start())
    signal.signal(signal.SIGINT, signal.getsignal(signal.SIGTERM))
    print(f"ready http://{server.LOOPBACK}:{wsgi.server_port}", flush=True)
    wsgi.serve_forever()
    wsgi.server_close()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
