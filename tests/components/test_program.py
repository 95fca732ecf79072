"""The whole program, with mocks: what every stack file sends is what the providers and their packages know."""

import gc
import json
import re
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from program.foundation import FOUNDATION
from program.sdk import KEEP, spare_debug_messages
from tests.components.conftest import Recorder, new_recorder
from tests.tools.provider_schemas import unknown_properties
from tools.paths import PROJECT
from tools.update import REPEATABLE

# Inputs of the alarm that the official plugin alone has: the built one's upstream is older. A stack that is to run on
# the built one does without (`vault-aws:alarm`, regions and readOnlyCalls).
OFFICIAL_ALONE = re.compile(r"aws:(sns|cloudwatch)/\S+ the provider plugin has no input (region|state)")
STACKS = sorted(PROJECT.glob("Pulumi.*.yaml"))
DEFAULTS = {
    key: entry["default"] for key, entry in yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"].items()
}


def run_program(path: Path) -> Recorder:
    """Runs the program on a stack's file."""
    # AWS answers here for one account, whichever stack asks.
    config: dict[str, Any] = yaml.safe_load(path.read_text())["config"] | {"aws:allowedAccountIds": ["123456789012"]}
    recorder = new_recorder(path.name.removeprefix("Pulumi.").removesuffix(".yaml"))
    pulumi.runtime.set_all_config(
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in (DEFAULTS | config).items()}
    )
    try:
        recorder.run(lambda: runpy.run_path(str(PROJECT / "__main__.py")) and None)
    finally:
        # The program needs no collector to its end; these tests go on.
        gc.enable()
    return recorder


@pytest.fixture(autouse=True)
def asked_vaults(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of the Vaults that were asked who they are; each answers as the one that its name says."""
    asked: list[str] = []

    def answer(address: str, _verify: object) -> dict[str, str]:
        asked.append(address)
        return {"cluster_name": f"vault-{address.split('.')[1]}"}

    monkeypatch.setattr("program.vault_pin.seal_status", answer)
    return asked


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_vault_is_asked_who_it_is_before_anything_is_made(name: str, asked_vaults: list[str]) -> None:
    run_program(PROJECT / f"Pulumi.{name}.yaml")
    assert asked_vaults == [f"https://vault.{name}.example.com:8200"]


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_everything_that_a_stack_sends_is_known(path: Path) -> None:
    recorder = run_program(path)
    sent = [resource for resource in recorder.resources if not resource.type.startswith(("vault-aws:", "pulumi:"))]
    assert len(sent) > 10
    problems = [problem for resource in sent for problem in unknown_properties(resource.type, resource.inputs)]
    if path.name != "Pulumi.local.yaml":
        problems = [problem for problem in problems if not OFFICIAL_ALONE.fullmatch(problem)]
    assert problems == []
    assert "aws:index/getCallerIdentity:getCallerIdentity" in dict(recorder.calls)
    assert [problem for token, arguments in recorder.calls for problem in unknown_properties(token, arguments)] == []


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_resources_are_parented_and_named_once(path: Path) -> None:
    recorder = run_program(path)
    names = [(resource.type, resource.name) for resource in recorder.resources]
    assert len(names) == len(set(names))
    own = [resource for resource in recorder.resources if not resource.type.startswith(("vault-aws:", "pulumi:"))]
    assert all(resource.parent for resource in own)


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_the_foundation_is_all_that_may_not_be_made_twice(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made() -> dict[tuple[str, str], dict[str, Any]]:
        return {
            (resource.type, resource.name): resource.inputs
            for resource in run_program(path).resources
            if not resource.type.startswith(("vault-aws:", "pulumi:"))
        }

    whole = made()
    monkeypatch.setenv(FOUNDATION, "true")
    assert made() == {key: inputs for key, inputs in whole.items() if key[0] not in REPEATABLE}


def protected(path: Path) -> set[str]:
    """The names of the resources that Pulumi refuses to delete."""
    return {resource.name for resource in run_program(path).resources if resource.protect}


def test_in_staging_and_prod_the_mount_and_a_user_that_may_not_be_replaced_are_protected(tmp_path: Path) -> None:
    assert {path.name: names for path in STACKS if (names := protected(path))} == {
        "Pulumi.prod.yaml": {"aws-mount"},
        "Pulumi.staging.yaml": {"aws-mount"},
    }
    # Where Vault rotates the key, another root configuration takes another user, and the mount holds the present one.
    staging = (PROJECT / "Pulumi.staging.yaml").read_text()
    (tmp_path / "Pulumi.staging.yaml").write_text(staging.replace("rotation: vault", "rotation: stack"))
    assert protected(tmp_path / "Pulumi.staging.yaml") == {"aws-backend", "aws-user"}


def test_the_sdk_keeps_its_debug_messages_to_itself_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    said = pulumi.log.info
    monkeypatch.setattr(pulumi.log, "debug", said)
    monkeypatch.setenv(KEEP, "1")
    spare_debug_messages()
    assert pulumi.log.debug is said
    monkeypatch.delenv(KEEP)
    spare_debug_messages()
    assert pulumi.log.debug is not said
    pulumi.log.debug("nobody hears this", stream_id=1)
