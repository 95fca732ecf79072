"""The settings of the bootstrap program, and whose jobs they let in."""

from typing import Any

import pytest
import yaml

from bootstrap.inputs import PREFIX, delivery_of, same_vault
from documents.delivery import DEPLOY, PREVIEW, Repository
from settings.faults import FaultsError
from settings.load import read_config
from tools.paths import PROJECT

WHERE = "bootstrap/Pulumi.dev.yaml"
GITHUB = "https://token.actions.githubusercontent.com"


def own(**values: Any) -> dict[str, Any]:
    return {f"{PREFIX}{name}": value for name, value in {"repository": "example/vault-aws", **values}.items()}


def example() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((PROJECT / WHERE).read_text())["config"]
    return config


def test_the_example_is_whole_and_names_the_vault_of_its_stack() -> None:
    config = example()
    assert delivery_of(config, WHERE).jobs.name == "example/vault-aws"
    same_vault(config, read_config(PROJECT / "Pulumi.dev.yaml"), WHERE)


def test_another_way_to_write_the_vaults_address_is_a_fault() -> None:
    config = example()
    config["vault:address"] += "/"
    with pytest.raises(FaultsError) as raised:
        same_vault(config, read_config(PROJECT / "Pulumi.dev.yaml"), WHERE)
    assert str(raised.value) == (
        "bootstrap/Pulumi.dev.yaml: vault:address: is 'https://vault.dev.example.com:8200/'; write "
        "'https://vault.dev.example.com:8200', as the stack's own file does"
    )


def test_without_numbers_the_subject_has_the_names_alone() -> None:
    # What Pulumi.yaml gives where the stack's file says nothing.
    jobs = delivery_of(own(ids={}, state={}), WHERE).jobs
    assert jobs == Repository("example/vault-aws", "main", GITHUB)
    assert jobs.claims(DEPLOY, "prod")["sub"] == ["repo:example/vault-aws:environment:prod"]


def test_numbers_stand_behind_their_names() -> None:
    jobs = delivery_of(own(ids={"owner": 12, "repository": 345}), WHERE).jobs
    assert jobs.claims(DEPLOY, "prod") == {
        "repository": ["example/vault-aws"],
        "sub": ["repo:example@12/vault-aws@345:environment:prod"],
        "ref": ["refs/heads/main"],
        "environment": ["prod"],
    }
    assert jobs.claims(PREVIEW, "prod")["sub"] == [
        "repo:example@12/vault-aws@345:pull_request",
        "repo:example@12/vault-aws@345:ref:refs/heads/main",
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"repository": "vault-aws"}, "repository: 'vault-aws' must be owner and name"),
        ({"repository": "example/*"}, "repository: 'example/*' must be owner and name"),
        ({"branch": "*"}, "branch: '*' is not a branch's name"),
        ({"ids": {"owner": 12}}, "ids.repository: is missing"),
        ({"ids": {"owner": 12, "repo": 3, "repository": 3}}, "ids.repo: is not a setting"),
        ({"issuer": f"{GITHUB}/"}, "issuer: "),
        ({"issuer": "http://issuer.example"}, "must begin with https://"),
        ({"state": {"bucket": "B"}}, "state.bucket: 'B' is not a bucket's name"),
        ({"state": {"bucket": "states", "buckets": "x"}}, "state.buckets: is not a setting; did you mean 'bucket'?"),
        ({"repositry": "x"}, "repositry: is not a setting; did you mean 'repository'?"),
    ],
)
def test_faults_name_their_file_and_field(values: dict[str, Any], said: str) -> None:
    with pytest.raises(FaultsError) as raised:
        delivery_of(own(**values), WHERE)
    assert said in str(raised.value)
    assert str(raised.value).startswith(f"{WHERE}: {PREFIX}")
