"""Reading the policy documents of roles, and checking files anywhere."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.limits import INLINE_POLICY_LIMIT, SESSION_POLICY_LIMIT, SizeLimit
from documents.policy import PolicyDocument, check_policy, read_policy
from settings.faults import FaultsError
from tests.documents.samples import check, document, documents, statement, unhurried

VALUES = {"account": "123456789012", "partition": "aws", "region": "us-west-2", "environment": "dev"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    (folder / "teams").mkdir(parents=True)
    (folder / "reader.json").write_text(json.dumps(document(statement(Resource="arn:${partition}:s3:::${account}/*"))))
    (folder / "teams" / "data.json").write_text(json.dumps(document()))
    return folder


def _read(
    folder: Path,
    name: str,
    role: str | None = "reader",
    limit: SizeLimit = INLINE_POLICY_LIMIT,
    known_values: dict[str, str] | None = None,
) -> PolicyDocument:
    return read_policy(folder, name, role=role, limit=limit, known_values=known_values)


def _faults(folder: Path, name: str, **arguments: Any) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        _read(folder, name, **arguments)
    return [str(fault) for fault in caught.value.faults]


def test_a_document_is_written_for_an_account(folder: Path) -> None:
    policy = _read(folder, "reader.json")
    assert policy.path == "policies/reader.json"
    assert policy.render(VALUES) == (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",'
        '"Resource":"arn:aws:s3:::123456789012/*"}]}'
    )
    assert '"arn:aws-cn:s3:::210987654321/*"' in policy.render(
        {**VALUES, "partition": "aws-cn", "account": "210987654321"}
    )


def test_a_document_may_be_in_a_folder_of_the_folder(folder: Path) -> None:
    assert _read(folder, "teams/data.json", role=None).path == "policies/teams/data.json"


def test_all_faults_of_a_document_are_said_together(folder: Path) -> None:
    (folder / "reader.json").write_text(
        json.dumps(
            document(
                statement(Action="s3:GetObjekt", Resource="arn:aws:s3:::${acount}"),
                statement(Effect="allow", Principal="*"),
                Version="2008-10-17",
            )
        )
    )
    where = "policies/reader.json (role reader): "
    assert _faults(folder, "reader.json") == [
        where + "Statement[0].Action: 's3:GetObjekt' is not an action of Amazon S3; did you mean 's3:GetObject'?",
        where + "Statement[0].Resource: '${acount}' is not a placeholder; did you mean '${account}'? "
        "(AWS's own variables have a colon: ${aws:username})",
        where + "Statement[1]: Principal belongs in a trust or resource policy; an identity policy speaks of whoever "
        "holds it, so remove it",
        where + "Statement[1].Effect: 'allow' must be 'Allow' or 'Deny', spelt so",
        where + "Version: '2008-10-17' does not understand policy variables such as ${aws:username}; "
        "write '2012-10-17'",
    ]


def test_without_a_role_the_file_alone_is_named(folder: Path) -> None:
    (folder / "reader.json").write_text("{")
    assert _faults(folder, "reader.json", role=None) == [
        "policies/reader.json: line 1, column 2: is not JSON: expecting property name enclosed in double quotes"
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("raeder.json", "/raeder.json (role reader): there is no such file; did you mean 'reader.json'?"),
        ("teams/date.json", "/teams/date.json (role reader): there is no such file; did you mean 'teams/data.json'?"),
        ("zzzz.json", "/zzzz.json (role reader): there is no such file in policies/"),
        (
            "/etc/passwd.json",
            "//etc/passwd.json (role reader): '/etc/passwd.json' leads out of policies/; name a file inside it, "
            "such as reader.json",
        ),
        (
            "../secret.json",
            "/../secret.json (role reader): '../secret.json' leads out of policies/; name a file inside it, "
            "such as reader.json",
        ),
        (
            "teams/../reader.json",
            "/teams/../reader.json (role reader): 'teams/../reader.json' leads out of policies/; name a file inside "
            "it, such as reader.json",
        ),
        ("", "/ (role reader): '' is not a file's name; name a .json file in policies/"),
        ("a\0.json", "/ (role reader): 'a\\x00.json' is not a file's name; name a .json file in policies/"),
        (
            "reader.yaml",
            "/reader.yaml (role reader): 'reader.yaml' does not end in .json; policy documents are JSON files",
        ),
        ("teams", "/teams (role reader): 'teams' does not end in .json; policy documents are JSON files"),
        ("x" * 300 + ".json", f"/{'x' * 300}.json (role reader): cannot be read: File name too long"),
    ],
)
def test_a_name_that_is_no_document_of_the_folder(folder: Path, name: str, line: str) -> None:
    (folder.parent / "secret.json").write_text(json.dumps(document()))
    assert _faults(folder, name) == [f"policies{line}"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert _faults(tmp_path / "none", "a.json") == ["none/a.json (role reader): there is no such file in none/"]


def test_a_folder_that_looks_like_a_document(folder: Path) -> None:
    (folder / "d.json").mkdir()
    assert _faults(folder, "d.json") == ["policies/d.json (role reader): is a folder; name a .json file in it"]


def test_a_link_must_stay_in_the_folder(folder: Path) -> None:
    (folder.parent / "secret.json").write_text(json.dumps(document()))
    (folder / "out.json").symlink_to("../secret.json")
    (folder / "in.json").symlink_to("reader.json")
    (folder / "loop.json").symlink_to("loop.json")
    assert _faults(folder, "out.json") == [
        "policies/out.json (role reader): 'out.json' is a link that leads out of policies/; put the file itself there"
    ]
    assert _read(folder, "in.json").content == _read(folder, "reader.json").content
    assert _faults(folder, "loop.json") == [
        "policies/loop.json (role reader): cannot be read: its links go in a circle"
    ]


def _document_of(size: int, resource: str = "") -> dict[str, Any]:
    """A document of so many characters, as AWS counts them, with sample values."""
    whole = document(statement(Resource=f"arn:aws:s3:::{resource}"))
    whole["Statement"][0]["Resource"] += "x" * (size - len(json.dumps(whole, separators=(",", ":"))))
    return whole


def test_the_size_limit_is_that_of_the_role(folder: Path) -> None:
    (folder / "reader.json").write_text(json.dumps(_document_of(2048), indent=4))
    _read(folder, "reader.json")
    (folder / "reader.json").write_text(json.dumps(_document_of(2049), indent=4))
    where = "policies/reader.json (role reader): "
    rest = (
        "shorten it with wildcards or by joining statements, or move a part into a managed policy that policyArns names"
    )
    assert _faults(folder, "reader.json", limit=INLINE_POLICY_LIMIT) == [
        f"{where}has 2,049 characters, and AWS takes 2,048 in all inline policies of an IAM user; "
        f"{rest} (6,144 characters each)"
    ]
    assert _faults(folder, "reader.json", limit=SESSION_POLICY_LIMIT) == [
        f"{where}has 2,049 characters, and AWS takes 2,048 in a session policy; {rest}"
    ]


def test_the_size_counts_what_placeholders_become(folder: Path) -> None:
    (folder / "reader.json").write_text(json.dumps(_document_of(2048, "${account}")))  # two more when filled
    assert len(_faults(folder, "reader.json")) == 1
    (folder / "reader.json").write_text(json.dumps(_document_of(2048, "${environment}")))
    assert _read(folder, "reader.json", known_values={"environment": "e" * 14})
    assert len(_faults(folder, "reader.json", known_values={"environment": "e" * 15})) == 1


def test_a_file_anywhere_is_checked_with_the_inline_limit(tmp_path: Path) -> None:
    assert check(tmp_path, _document_of(2048)) == []
    assert [line[:48] for line in check(tmp_path, _document_of(2049))] == [
        "p.json: has 2,049 characters, and AWS takes 2,048"[:48]
    ]


@unhurried()
@given(content=documents())
def test_right_documents_are_read_and_written(
    content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "right.json").write_text(json.dumps(content, indent=1))
    policy = read_policy(folder, "right.json", role=None, limit=SizeLimit(9999, "", ""))
    assert "${account}" not in policy.render(VALUES)


_keys = st.sampled_from(
    (
        "Version",
        "Id",
        "Statement",
        "Sid",
        "Effect",
        "Action",
        "Resource",
        "NotAction",
        "Condition",
        "StringEquals",
        "Bool",
    )
) | st.text(max_size=5)
_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(
        ("2012-10-17", "Allow", "s3:Get*", "s3:", "arn:aws:s3:::${account}", "arn:a:b:c:d:${", "*", "${aws:x}")
    )
)
_json = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=25,
)


def _lines(content: bytes, folder: Path) -> list[str]:
    file = folder / "any.json"
    file.write_bytes(content)
    return [str(fault) for fault in check_policy(file, "any.json")]


@unhurried(600)
@given(content=_json)
def test_no_json_makes_it_fail(content: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    _assert_lines(_lines(json.dumps(content).encode(), tmp_path_factory.getbasetemp()))


@unhurried(400)
@given(content=st.dictionaries(_keys, _json, max_size=4))
def test_no_statement_makes_it_fail(content: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = json.dumps(document(content)).encode()
    _assert_lines(_lines(whole, tmp_path_factory.getbasetemp()))


@unhurried(400)
@given(content=st.binary(max_size=200) | st.text(alphabet='{}[]":,\\u0ae1.-NaN ', max_size=60).map(str.encode))
def test_no_bytes_make_it_fail(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    _assert_lines(_lines(content, tmp_path_factory.getbasetemp()))


def _assert_lines(lines: list[str]) -> None:
    """Each fault is one printable line that names the file."""
    for line in lines:
        assert line.startswith("any.json: ")
        assert line.isprintable()
