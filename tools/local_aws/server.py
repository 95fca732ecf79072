"""moto's server on loopback, with only the services that are behind the door."""

import io
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.serving import BaseWSGIServer, make_server

LOOPBACK = "127.0.0.1"
_ONE_AT_A_TIME = ("iam", "sts")

_App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def make(port: int, *, verbose: bool = False) -> BaseWSGIServer:
    """Binds the server; nothing answers before its `serve_forever`.

    Args:
        port: The port of 127.0.0.1; 0 takes a free one.
        verbose: Whether each request is logged, to standard error.

    Raises:
        OSError: The port is taken.
    """
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - after moto's settings
        DomainDispatcherApplication,
        MotoRequestHandler,
    )

    logging.getLogger("werkzeug").setLevel(logging.INFO if verbose else logging.ERROR)
    return make_server(
        LOOPBACK, port, _with_body(DomainDispatcherApplication(_service)), threaded=True, request_handler=MotoRequestHandler
    )


def _with_body(app: _App) -> _App:
    """Keeps each body as it was sent, for its signature: moto's framework takes forms apart."""

    def keep(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["local_aws.body"] = body
        if length:
            environ["wsgi.input"] = io.BytesIO(body)
        return app(environ, start_response)

    return keep


def _service(name: Any) -> Any:  # noqa: ANN401 - moto's names of services; Flask's application
    from moto.moto_server.werkzeug_app import create_backend_app  # noqa: PLC0415 - after moto's settings

    from tools.local_aws.door import SERVICES  # noqa: PLC0415 - after moto's settings

    if name not in SERVICES:
        return _not_served(name)
    app = create_backend_app(name)
    app.debug = False
    return _serialised(app) if name in _ONE_AT_A_TIME else app


_IAM_LOCK = threading.Lock()


def _serialised(app: _App) -> _App:
    """One request at a time: moto's records of IAM are plain dictionaries, walked while others change them."""

    def one(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
        with _IAM_LOCK:
            return list(app(environ, start_response))

    return one


def _not_served(name: str) -> _App:
    def refuse(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
        start_response("501 Not Implemented", [("Content-Type", "text/plain")])
        return [f"the embedded AWS does not serve {name}\n".encode()]

    return refuse
