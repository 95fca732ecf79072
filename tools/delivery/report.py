"""Comments on a pull request, and issues, that are written once and then kept up to date.

Each carries a mark that no reader sees, by which the next run finds it
(https://docs.github.com/en/rest/issues/comments, https://docs.github.com/en/rest/issues/issues).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from tools.errors import ToolError

LONGEST = 65_536
"""The characters that GitHub takes in a comment or an issue."""
_CUT = "\n\nThe rest did not fit here; it is among the files of the run.\n"
_PAGE = 100
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,120}")
_TIMEOUT = 30


class GitHub:
    """The part of GitHub's API that reports need, for one repository.

    Args:
        environ: An environment as a job has it: `GITHUB_REPOSITORY`, `GITHUB_TOKEN`, `GITHUB_API_URL`.

    Raises:
        ToolError: One of them is missing.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        missing = [name for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN") if not environ.get(name)]
        if missing:
            raise ToolError(f"{' and '.join(missing)} must be set, as GitHub's jobs have it")
        api = environ.get("GITHUB_API_URL") or "https://api.github.com"
        self._root = f"{api}/repos/{environ['GITHUB_REPOSITORY']}"
        self._session = requests.Session()
        self._session.headers.update(
            {"Authorization": f"Bearer {environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
        )

    def comment(self, pull_request: int, key: str, text: str) -> None:
        """Writes the comment of a key on a pull request, over the one that is there.

        Raises:
            ToolError: GitHub refuses, or does not answer.
        """
        body = with_mark(key, text)
        for found in self._all(f"/issues/{pull_request}/comments"):
            if str(found["body"]).startswith(_mark(key)):
                self._ask("PATCH", f"/issues/comments/{found['id']}", {"body": body})
                return
        self._ask("POST", f"/issues/{pull_request}/comments", {"body": body})

    def issue(self, key: str, title: str, text: str | None) -> None:
        """Keeps one open issue of a key: opens or updates it, or closes it where there is no text.

        Raises:
            ToolError: GitHub refuses, or does not answer.
        """
        found = next((one for one in self._all("/issues?state=open") if _is_of(one, key)), None)
        if text is None:
            if found is not None:
                self._ask("PATCH", f"/issues/{found['number']}", {"state": "closed", "state_reason": "completed"})
            return
        content = {"title": title, "body": with_mark(key, text)}
        if found is None:
            self._ask("POST", "/issues", content)
        else:
            self._ask("PATCH", f"/issues/{found['number']}", content)

    def _all(self, path: str) -> Iterator[dict[str, Any]]:
        number = 1
        while True:
            joined = "&" if "?" in path else "?"
            page = self._ask("GET", f"{path}{joined}per_page={_PAGE}&page={number}")
            yield from page
            if len(page) < _PAGE:
                return
            number += 1

    def _ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - any JSON
        try:
            answer = self._session.request(method, f"{self._root}{path}", json=content, timeout=_TIMEOUT)
        except requests.RequestException as error:
            raise ToolError(f"GitHub does not answer at {self._root}{path} ({type(error).__name__})") from None
        if not answer.ok:
            raise ToolError(
                f"GitHub refuses {method} {self._root}{path} with {answer.status_code}; the job needs the permission "
                "`pull-requests: write` for a comment, and `issues: write` for an issue"
            )
        return answer.json()


def with_mark(key: str, text: str) -> str:
    """A text with the mark of its key, short enough for GitHub."""
    room = LONGEST - len(_mark(key)) - 1
    if len(text) > room:
        text = text[: room - len(_CUT)].rpartition("\n")[0] + _CUT
    return f"{_mark(key)}\n{text}"


def _mark(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ToolError(f"the key {key!r} cannot mark a report; write letters, digits, ., _ and -")
    return f"<!-- vault-aws: {key} -->"


def _is_of(issue: Mapping[str, Any], key: str) -> bool:
    # Pull requests are issues to this API.
    return "pull_request" not in issue and str(issue["body"] or "").startswith(_mark(key))
