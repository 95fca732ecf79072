"""Whatever stands in a policy document, it is taken, or refused in words; what AWS documents is taken."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.exempted import check_role
from documents.limits import INLINE_POLICY_LIMIT
from documents.policy import check_policy, read_policy
from settings.faults import FaultsError
from settings.load import from_values
from tests.fuzz.cases import broken, check_faults, garbled, unhurried
from tests.fuzz.corpus import documents_of, services
from tests.fuzz.test_settings import TODAY

NAME = "reader.json"
SETTINGS = from_values(
    {"aws:region": "us-west-2", "vault-aws:roles": {"reader": {"credentialType": "iam_user", "policy": NAME}}},
    "dev",
    "Pulumi.dev.yaml",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents") / "policies"
    folder.mkdir()
    return folder


def check(folder: Path, content: bytes) -> None:
    """Reads a document as `make check` does, alone and as a role's; faults are held to their form."""
    (folder / NAME).write_bytes(content)
    if faults := check_policy(folder / NAME, f"policies/{NAME}"):
        check_faults(faults, ("policies/",))
    try:
        document = read_policy(folder, NAME, role="reader", limit=INLINE_POLICY_LIMIT)
    except FaultsError as error:
        check_faults(error.faults, (f"policies/{NAME} (role reader)",))
        return
    found, _ = check_role("reader", SETTINGS, document, where="Pulumi.dev.yaml", today=TODAY)
    if found:
        check_faults(found, (f"policies/{NAME} (role reader)",))
    place = {"account": "123456789012", "partition": "aws", "region": "us-west-2", "environment": "dev"}
    assert json.loads(document.render(place))["Statement"]


def test_every_service_as_aws_documents_it_is_taken(folder: Path) -> None:
    refused: dict[str, list[str]] = {}
    count = 0
    for prefix in services():
        for document in documents_of(prefix):
            (folder / NAME).write_text(json.dumps(document))
            count += 1
            if faults := check_policy(folder / NAME, NAME):
                refused.setdefault(prefix, []).extend(map(str, faults))
    assert refused == {}
    assert count > 2 * len(services())


@st.composite
def real_documents(draw: st.DrawFn) -> dict[str, Any]:
    """A document of the corpus, in which a service may stand that another document's statement is of."""
    prefixes = sorted(services())
    one, other = (list(documents_of(prefixes[draw(st.integers(0, len(prefixes) - 1))])) for _ in range(2))
    document = one[draw(st.integers(0, len(one) - 1))]
    if draw(st.booleans()):
        more = other[draw(st.integers(0, len(other) - 1))]["Statement"]
        statements = document["Statement"]
        lists = [found if isinstance(found, list) else [found] for found in (statements, more)]
        document = document | {"Statement": lists[0] + lists[1]}
    return document


@given(st.data())
@unhurried(0.25)
def test_no_value_of_a_document_is_more_than_a_fault(folder: Path, data: st.DataObject) -> None:
    document, spare = data.draw(real_documents()), data.draw(real_documents())
    whole = data.draw(broken(document, spare))
    check(folder, json.dumps(whole, default=str, skipkeys=True).encode())


@given(st.data())
@unhurried(0.15)
def test_no_text_of_a_document_is_more_than_a_fault(folder: Path, data: st.DataObject) -> None:
    text = json.dumps(data.draw(real_documents()), indent=2)
    check(folder, data.draw(garbled(text)).encode("utf-8", "surrogatepass"))
