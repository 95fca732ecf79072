"""What a file must be before it can be a policy document."""

import os
from pathlib import Path

import pytest

from documents.source import MAX_BYTES, read_object
from settings.faults import FaultsError
from tests.documents.samples import check


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", ["p.json: is empty; write an IAM policy document"]),
        (b" \n\t", ["p.json: is empty; write an IAM policy document"]),
        (b'{"Version":\n  nonsense}', ["p.json: line 2, column 3: is not JSON: expecting value"]),
        (
            b'{"Version": "2012-10-17"\n"Statement": []}',
            ["p.json: line 2, column 1: is not JSON: expecting ',' delimiter"],
        ),
        (b'{"Id": "a\tb"}', ["p.json: line 1, column 10: is not JSON: invalid control character at"]),
        (b"{}{}", ["p.json: line 1, column 3: is not JSON: extra data"]),
        (b'{\n"Id": "caf\xe9"}', ["p.json: line 2: is not UTF-8 text; save the file as UTF-8"]),
        (b"[]", ["p.json: must be one object { … }, and is a list"]),
        (b'"text"', ["p.json: must be one object { … }, and is text"]),
        (b"5", ["p.json: must be one object { … }, and is a number"]),
        (b"NaN", ["p.json: must be one object { … }, and is a number"]),
        (b"true", ["p.json: must be one object { … }, and is true or false"]),
        (b"null", ["p.json: must be one object { … }, and is null"]),
        (
            b'{"Id": NaN, "Statement": [-Infinity, 1e999, ' + b"9" * 5000 + b"]}",
            [
                "p.json: Id: NaN is not a number that a policy can hold; write a number or text",
                "p.json: Statement[0]: -Infinity is not a number that a policy can hold; write a number or text",
                "p.json: Statement[1]: 1e999 is not a number that a policy can hold; write a number or text",
                f"p.json: Statement[2]: {'9' * 40}… is not a number that a policy can hold; write a number or text",
            ],
        ),
        (b"[" * 60_000, ["p.json: is nested over 20 levels deep; a policy document has seven"]),
        (b'{"a":' * 21 + b"1" + b"}" * 21, ["p.json: is nested over 20 levels deep; a policy document has seven"]),
        (
            b'{"Id": "a", "Id": "b", "Statement": [{"Effect": "Deny", "Effect": "Allow", "Effect": "Deny"}]}',
            [
                "p.json: the key 'Id' stands there more than once; keep one (programs differ in which they read)",
                "p.json: Statement[0]: the key 'Effect' stands there more than once; keep one "
                "(programs differ in which they read)",
            ],
        ),
        (
            b" " * (MAX_BYTES + 1),
            ["p.json: is over 64 KiB, and AWS's largest policy is a tenth of that; is it the right file?"],
        ),
    ],
)
def test_what_is_not_one_json_object_is_refused(tmp_path: Path, content: bytes, lines: list[str]) -> None:
    assert check(tmp_path, content) == lines


def _fault(path: Path) -> str:
    with pytest.raises(FaultsError) as caught:
        read_object(path, "p.json")
    return str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert _fault(tmp_path / "p.json") == "p.json: there is no such file"


def test_a_folder(tmp_path: Path) -> None:
    assert _fault(tmp_path) == "p.json: is a folder; name a .json file in it"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert _fault(tmp_path / "pipe") == "p.json: is not a regular file; name a .json file"


def test_a_name_longer_than_the_system_takes(tmp_path: Path) -> None:
    assert _fault(tmp_path / ("a" * 300)) == "p.json: cannot be read: File name too long"


def test_a_path_with_a_nul() -> None:
    assert _fault(Path("a\0b")) == "p.json: is not a file's path"


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_bytes(b'\xef\xbb\xbf{"Id": "a"}')
    assert read_object(file, "p.json") == {"Id": "a"}


def test_twenty_levels_are_read(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_bytes(b'{"a":' * 20 + b"1" + b"}" * 20)
    assert list(read_object(file, "p.json")) == ["a"]
