"""Stands between a provider and its server, and lets a test act once a request is done and its answer not given yet."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tools.processes import LOOPBACK


@contextmanager
def intercepted(url: str, done: Callable[[str, str], bool]) -> Iterator[str]:
    """Forwards requests to a server.

    Args:
        url: The server.
        done: Called with the first line and the body of each request that is done; whether its answer is withheld.

    Yields:
        Where requests are taken.
    """
    server = urlsplit(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            onward = http.client.HTTPConnection(str(server.hostname), server.port)
            # The signature is of the headers as they came, the host's name among them.
            onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                onward.putheader(name, value)
            onward.endheaders(body)
            answer = onward.getresponse()
            content = answer.read()
            onward.close()
            if done(f"{self.command} {self.path}", body.decode(errors="replace")):
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"connection", "content-length", "date", "server", "transfer-encoding"}:
                    self.send_header(name, value)
            if answer.status != http.client.NO_CONTENT:
                self.send_header("Content-Length", str(len(content)))
            # Whoever was killed does not take the answer.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(content)

        do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = handle_any  # noqa: N815 - as http.server calls them

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Says nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()
