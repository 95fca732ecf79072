"""A small GitHub: comments and issues of one repository, and the token of a run, on loopback."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class FakeGitHub:
    """What it holds, and what was asked of it."""

    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    refuses: bool = False
    mint: Callable[[str], str] | None = None
    """Makes the token of a run for an audience; None if it gives none."""
    url: str = ""

    @property
    def environ(self) -> dict[str, str]:
        return {"GITHUB_REPOSITORY": "example/vault-aws", "GITHUB_TOKEN": "a-token", "GITHUB_API_URL": self.url}

    @contextmanager
    def running(self) -> Iterator["FakeGitHub"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
        self.asked.append((method, path))
        if path == "/id-token":
            return (200, {"value": self.mint(query["audience"][0])}) if self.mint else (403, {})
        if self.refuses or not path.startswith("/repos/example/vault-aws/"):
            return 403, {"message": "Resource not accessible by integration"}
        path = path.removeprefix("/repos/example/vault-aws")
        if found := re.fullmatch(r"/issues/comments/(\d+)", path):
            self.comments[int(found[1])].update(body)
            return 200, self.comments[int(found[1])]
        if re.fullmatch(r"/issues/\d+/comments", path):
            return self._of(self.comments, method, query, body, "id")
        if found := re.fullmatch(r"/issues/(\d+)", path):
            self.issues[int(found[1])].update(body)
            return 200, self.issues[int(found[1])]
        still_open = {number: one for number, one in self.issues.items() if one.get("state") != "closed"}
        return self._of(self.issues if method == "POST" else still_open, method, query, body, "number")

    @staticmethod
    def _of(
        held: dict[int, dict[str, Any]], method: str, query: dict[str, list[str]], body: dict[str, Any], key: str
    ) -> tuple[int, Any]:
        if method == "POST":
            held[len(held) + 1] = {key: len(held) + 1, **body}
            return 201, held[len(held)]
        size, page = int(query["per_page"][0]), int(query["page"][0])
        return 200, list(held.values())[size * (page - 1) : size * page]


def _handler(github: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else {}
            url = urlsplit(self.path)
            status: int = 401
            answer: Any = {}
            if self.headers.get("Authorization") == "Bearer a-token":
                status, answer = github.answer(self.command, url.path, parse_qs(url.query), body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - names of the base class

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
