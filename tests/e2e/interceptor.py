"""Stands between a client and its server: a test sees each request, and answers, delays or cuts it as a fault would."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from tools.processes import LOOPBACK

_NAMES: Final = ("UserName", "PolicyName", "PolicyArn", "RoleName", "GroupName", "Name", "TopicArn", "Rule")


@dataclass(frozen=True)
class Asked:
    """A request to Vault or AWS."""

    method: str
    path: str
    body: str
    headers: Mapping[str, str]

    @property
    def action(self) -> str:
        """AWS's action, such as `CreateUser`; empty for a request to Vault."""
        if target := self.headers.get("X-Amz-Target"):
            return target.rpartition(".")[2]
        return self._form.get("Action", [""])[0]

    @property
    def name(self) -> str:
        """What it is about: `CreateUser vault-aws-local`, `PUT aws/roles/my-role`; the same in every run."""
        if self.path.startswith("/v1/"):
            return f"{self.method} {unquote(urlsplit(self.path).path).removeprefix('/v1/')}"
        form = json.loads(self.body) if self.headers.get("X-Amz-Target") else self._form
        of = [form[name] for name in _NAMES if name in form]
        return " ".join(
            [self.action, *(str(one[0] if isinstance(one, list) else one).rpartition(":")[2] for one in of)]
        )

    @property
    def changes(self) -> bool:
        """Whether it may change anything that outlives its connection."""
        if self.path.startswith("/v1/"):
            # The provider's child token ends with the provider.
            return self.method not in {"GET", "LIST", "HEAD"} and not self.path.startswith("/v1/auth/token/")
        return not self.action.startswith(("Get", "List", "Describe", "AssumeRole"))

    @property
    def _form(self) -> dict[str, list[str]]:
        return parse_qs(self.body) if "json" not in self.headers.get("Content-Type", "") else {}


@dataclass(frozen=True)
class Answer:
    """An answer in the server's place."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Cut(Enum):
    """No answer: the connection is closed."""

    CUT = "cut"


CUT: Final = Cut.CUT
Act = Callable[[Asked], Answer | Cut | None]


def _nothing(_asked: Asked) -> None:
    """Lets a request pass."""


@contextmanager
def intercepted(url: str, *, before: Act = _nothing, after: Act = _nothing) -> Iterator[str]:
    """Forwards requests to a server.

    Args:
        url: The server.
        before: Called with each request before the server has it; what it returns is the answer, and the server never
            sees the request. None lets it pass.
        after: Called with each request that the server has done and not answered yet; what it returns is the answer
            in place of the server's.

    Yields:
        Where requests are taken.
    """
    server = urlsplit(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, body.decode(errors="replace"), dict(self.headers.items()))
            answer = before(asked)
            if answer is None:
                status, headers, content = self._forward(body)
                answer = after(asked)
                if answer is None:
                    self._answer(status, headers, content)
                    return
            if isinstance(answer, Cut):
                self.close_connection = True
                return
            self._answer(answer.status, answer.headers, answer.body.encode())

        def _forward(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
            onward = http.client.HTTPConnection(str(server.hostname), server.port)
            # The signature is of the headers as they came, the host's name among them.
            onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                onward.putheader(name, value)
            onward.endheaders(body)
            answer = onward.getresponse()
            content = answer.read()
            onward.close()
            return answer.status, dict(answer.getheaders()), content

        def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in {"connection", "content-length", "date", "server", "transfer-encoding"}:
                    self.send_header(name, value)
            if status != http.client.NO_CONTENT:
                self.send_header("Content-Length", str(len(content)))
            # Whoever was killed does not take the answer.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(content)

        do_DELETE = do_GET = do_HEAD = do_LIST = do_POST = do_PUT = handle_any  # noqa: N815 - as http.server calls them

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
