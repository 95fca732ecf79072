"""Durations: what is read, refused, and written back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from settings.durations import format_duration, parse_duration


@given(st.integers(min_value=1, max_value=10**9))
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(("text", "seconds"), [("1h", 3600), ("90m", 5400), ("1h30m5s", 5405), ("45s", 45)])
def test_vaults_forms_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("value", ["", "1", "h", "1d", "-1h", "1m1h", "0s", "١h", 3600, None, True, "9" * 40 + "h"])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(PydanticCustomError):
        parse_duration(value)
