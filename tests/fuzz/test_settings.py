"""Whatever stands in a stack's file, or in the one that stacks share, it is read, or refused in words."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.stack import StackDocuments, read_stack
from policy_pack.facts import facts_of
from settings.faults import FaultsError
from settings.files import config_of
from settings.shared import with_shared
from tests.fuzz.cases import broken, check_faults, garbled, unhurried, values
from tools.paths import PROJECT

SHARED_FILE = "shared-settings.yaml"
TEXTS = {path.name: path.read_text() for path in (*PROJECT.glob("Pulumi.*.yaml"), PROJECT / SHARED_FILE)}
CONFIGS = {name: config_of(PROJECT / name) for name in TEXTS}
STACKS = sorted(set(TEXTS) - {SHARED_FILE})
TODAY = date(2026, 12, 1)
FILES = ("Pulumi.", SHARED_FILE, "policies/")


def read(config: dict[str, Any], name: str, folder: Path) -> StackDocuments | None:
    """Reads a stack as `make check` does; faults are held to their form."""
    stack = name.removeprefix("Pulumi.").removesuffix(".yaml")
    try:
        return read_stack(with_shared(config, stack, name, folder), stack, today=TODAY)
    except FaultsError as error:
        check_faults(error.faults, FILES)
        return None


@given(st.data())
@unhurried(0.3)
def test_no_value_of_a_stack_is_more_than_a_fault(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(STACKS))
    spare = CONFIGS[data.draw(st.sampled_from(sorted(CONFIGS)))]
    read(data.draw(broken(CONFIGS[name], spare)), name, PROJECT)


@given(values)
@unhurried(0.05)
def test_the_policy_pack_takes_what_it_can_read_of_any_stack(value: Any) -> None:
    # It judges the stacks of other programs as well.
    exempted = {"r": {"exemptions": [{"expires": value, "reason": value, "findings": value}, value]}, "s": value}
    for config in ({"vault-aws:roles": value}, {"vault-aws:roles": exempted}, {"vault-aws:audit": {"devices": value}}):
        assert facts_of(config, "dev", TODAY).today == TODAY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings")


@given(st.data())
@unhurried(0.25)
def test_no_text_of_a_file_is_more_than_a_fault(folder: Path, data: st.DataObject) -> None:
    texts = dict(TEXTS)
    name = data.draw(st.sampled_from(STACKS))
    changed = data.draw(st.sampled_from((name, SHARED_FILE)))
    texts[changed] = data.draw(garbled(texts[changed]))
    for file in (name, SHARED_FILE):
        (folder / file).write_bytes(texts[file].encode("utf-8", "surrogatepass"))
    try:
        config = config_of(folder / name)
    except FaultsError as error:
        check_faults(error.faults, FILES)
    else:
        read(config, name, folder)
