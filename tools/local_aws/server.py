"""moto's server on loopback, with the services that are behind the door and no others."""

import io
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from tools.errors import ToolError
from tools.local_aws.door import BODY, SERVICES
from tools.processes import LOOPBACK

_App = Callable[[dict[str, Any], Any], Iterable[bytes]]
_ONE_AT_A_TIME = ("iam", "sts")
_LOCK = threading.Lock()


def bind(port: int, *, verbose: bool = False) -> BaseWSGIServer:
    """Takes the port; requests wait for `serve_forever`.

    Args:
        port: A port of 127.0.0.1; 0 takes a free one.
        verbose: Whether each request is logged to standard error.

    Raises:
        ToolError: The port is in use, or is none.
    """
    logging.getLogger("werkzeug").setLevel(logging.INFO if verbose else logging.ERROR)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "ports go from 0 to 65535"
        raise ToolError(f"port {port} of {LOOPBACK} cannot be had ({reason}); name another, or 0 for any") from None
    listener.listen(128)
    return make_server(
        LOOPBACK,
        listener.getsockname()[1],
        _with_body(DomainDispatcherApplication(_service)),
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.detach(),
    )


def _with_body(app: _App) -> _App:
    """Keeps each body as it was sent, for its signature: the framework takes forms apart."""

    def keep(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's own
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ[BODY] = environ["wsgi.input"].read(length)
        if length:
            environ["wsgi.input"] = io.BytesIO(environ[BODY])
        return app(environ, start_response)

    return keep


def _service(name: Any) -> Any:  # noqa: ANN401 - of moto and Flask
    if name not in SERVICES:
        return _not_served(name)
    app = create_backend_app(name)
    app.debug = False
    return _serialised(app) if name in _ONE_AT_A_TIME else app


def _serialised(app: _App) -> _App:
    """One request at a time: moto walks its records of IAM while other threads would change them."""

    def one(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's own
        with _LOCK:
            return list(app(environ, start_response))

    return one


def _not_served(name: str) -> _App:
    def refuse(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's own
        start_response("501 Not Implemented", [("Content-Type", "text/plain")])
        return [f"the embedded AWS does not serve {name}\n".encode()]

    return refuse
