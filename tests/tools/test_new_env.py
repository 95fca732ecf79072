"""`make new-env` and the table that compares the environments."""

import argparse
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from documents.stack import read_stack
from settings.faults import FaultsError
from settings.files import config_of
from settings.schema import stack_schema
from settings.shared import with_shared
from tools import new_env
from tools.environments import BEGIN, END, README, read_all, table, with_table
from tools.errors import ToolError
from tools.new_env import SHARED_FILE, make
from tools.paths import PROJECT

TODAY = date(2026, 11, 24)
QA = {
    "name": "qa",
    "account": "444455556666",
    "region": "eu-west-1",
    "vault": "https://vault.qa.example.com:8200",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(PROJECT / SHARED_FILE, tmp_path)
    return tmp_path


def test_the_file_is_a_whole_stack(folder: Path) -> None:
    path = make(QA, folder, TODAY)
    assert path == folder / "Pulumi.qa.yaml"
    jsonschema.validate(yaml.safe_load(path.read_text()), stack_schema())
    documents = read_stack(with_shared(config_of(path), "qa", path.name, folder), "qa", today=TODAY)
    assert documents.accounts == ("444455556666",)
    assert (documents.settings.region, documents.settings.protect) == ("eu-west-1", True)
    assert documents.settings.engines["aws"].vault_user.key_made == TODAY
    assert documents.settings.access["orders-release"].jwt
    assert documents.settings.access["orders-release"].jwt.bound_subject == "repo:example/orders:environment:qa"
    assert sorted(entry.name for entry in folder.iterdir()) == ["Pulumi.qa.yaml", SHARED_FILE]


def test_without_a_shared_file_none_is_named(tmp_path: Path) -> None:
    path = make(QA, tmp_path, TODAY)
    assert "vault-aws:shared" not in config_of(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "QA"}, "NAME=QA: write 1 to 31 lower-case letters"),
        ({"name": "../qa"}, "NAME=../qa: write"),
        ({"name": ""}, "NAME is missing: write 1 to 31 lower-case letters"),
        ({"account": "44445555666"}, "ACCOUNT=44445555666: write the 12 digits"),
        ({"account": '1"]\n  x: ['}, "ACCOUNT="),
        ({"region": "Ireland"}, "REGION=Ireland: write a region's name"),
        ({"vault": "http://vault.example.com"}, "VAULT=http://vault.example.com: write an https address"),
        ({"vault": "https://vault.example.com/v1"}, "VAULT=https://vault.example.com/v1: write"),
    ],
)
def test_malformed_values_are_refused_by_name(folder: Path, values: Mapping[str, str], message: str) -> None:
    with pytest.raises(ToolError) as caught:
        make({**QA, **values}, folder, TODAY)
    assert str(caught.value).splitlines()[0] == "nothing was made"
    assert str(caught.value).splitlines()[1].startswith(message)
    assert [entry.name for entry in folder.iterdir()] == [SHARED_FILE]


def test_all_that_is_malformed_is_said_at_once(folder: Path) -> None:
    with pytest.raises(ToolError) as caught:
        make(dict.fromkeys(QA, ""), folder, TODAY)
    assert [line.split()[0] for line in str(caught.value).splitlines()[1:]] == ["NAME", "ACCOUNT", "REGION", "VAULT"]


def test_a_file_that_is_there_is_not_replaced(folder: Path) -> None:
    (folder / "Pulumi.qa.yaml").write_text("mine")
    with pytest.raises(ToolError, match=r"there is a Pulumi\.qa\.yaml already"):
        make(QA, folder, TODAY)
    assert (folder / "Pulumi.qa.yaml").read_text() == "mine"


def test_of_two_at_once_one_makes_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made_meanwhile(*_: object, **__: object) -> None:
        (folder / "Pulumi.qa.yaml").write_text("theirs")

    monkeypatch.setattr(new_env, "read_stack", made_meanwhile)
    with pytest.raises(ToolError, match=r"there is a Pulumi\.qa\.yaml already"):
        make(QA, folder, TODAY)
    assert (folder / "Pulumi.qa.yaml").read_text() == "theirs"
    assert sorted(entry.name for entry in folder.iterdir()) == ["Pulumi.qa.yaml", SHARED_FILE]


def test_faults_of_the_shared_file_are_said_and_nothing_is_made(folder: Path) -> None:
    (folder / SHARED_FILE).write_text("config: {vault-aws:roles: {r: {credentialType: iam_usr}}}")
    with pytest.raises(FaultsError, match=r"^shared-settings\.yaml \(for Pulumi\.qa\.yaml\): roles\.r: credentialType"):
        make(QA, folder, TODAY)
    assert [entry.name for entry in folder.iterdir()] == [SHARED_FILE]


def test_what_to_do_next_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_env, "PROJECT", folder)
    said: list[str] = []
    assert new_env.run(argparse.Namespace(**QA), said.append) == 0
    for words in ("'vault-qa'", "pulumi stack init qa --secrets-provider", "make preview STACK=qa"):
        assert words in said[0]


# --- the table of README.md ---


def test_the_table_of_the_readme_is_current() -> None:
    readme = README.read_text(encoding="utf-8")
    assert with_table(readme, table(read_all(PROJECT))) == readme, "run `make environments`"


def test_the_table_has_a_column_an_environment_and_what_differs() -> None:
    text = table(read_all(PROJECT))
    head, *rows = text.splitlines()
    assert head == "| | dev | staging | prod |"
    assert all(row.count(" | ") == 3 for row in rows[1:])
    assert "| leases: usual, longest | 1h, 8h | 1h, 4h | 30m, 2h |" in rows
    assert "| protected from deletion | no | yes | yes |" in rows


@pytest.mark.parametrize("readme", ["", f"{BEGIN}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{END}\n{BEGIN}\n"])
def test_a_readme_without_a_place_for_it_is_left_alone(readme: str) -> None:
    with pytest.raises(ToolError, match=r"README\.md has no place for the table"):
        with_table(readme, "| |")
