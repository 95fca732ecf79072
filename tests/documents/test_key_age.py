"""The age of the key that Vault holds: when a stack warns, and what its user's tags say."""

from datetime import date
from typing import Any

import pytest

from documents.stack import StackDocuments, read_stack
from settings.faults import FaultsError

TODAY = date(2026, 11, 24)


def read(**engine: Any) -> StackDocuments:
    place = {"aws:region": "us-west-2", "aws:allowedAccountIds": ["123456789012"]}
    return read_stack(place | {"vault-aws:engines": {"aws": engine}}, "dev", today=TODAY)


@pytest.mark.parametrize(
    ("key", "warns"),
    [
        ({}, False),
        ({"keyMade": "2026-08-26"}, False),
        ({"keyMade": "2026-08-25"}, True),
        ({"keyMade": "2026-11-22", "maximumKeyAge": "24h"}, True),
        ({"keyMade": "2026-11-23", "maximumKeyAge": "24h"}, False),
    ],
)
def test_a_key_over_its_age_is_told(key: dict[str, str], warns: bool) -> None:
    assert bool(read(vaultUser=key).warnings) is warns


def test_the_warning_says_the_way_out() -> None:
    assert read(vaultUser={"keyMade": "2026-08-01"}).warnings == (
        "engine aws: its key of 2026-08-01 should have been renewed by 2026-10-30; raise vaultUser.keyGeneration and "
        "set vaultUser.keyMade to today",
    )


def test_the_users_tags_say_it_too() -> None:
    user = read(vaultUser={"keyMade": "2026-11-01", "maximumKeyAge": "240h"}).settings.engines["aws"].vault_user
    assert user.key_tags == {"vault-aws:key-made": "2026-11-01", "vault-aws:key-renew-by": "2026-11-11"}
    assert read().settings.engines["aws"].vault_user.key_tags == {}


def test_a_key_that_vault_makes_has_no_day_here() -> None:
    with pytest.raises(FaultsError) as caught:
        read(rotation="vault", vaultUser={"keyMade": "2026-11-01"})
    assert str(caught.value) == (
        "Pulumi.dev.yaml: engines.aws.vaultUser.keyMade: goes with rotation stack, and here Vault makes the key; "
        "remove it, or change rotation"
    )
