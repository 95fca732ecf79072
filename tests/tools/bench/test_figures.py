"""Medians, percentiles, growth and how figures are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bench.figures import bend, growth, median, milliseconds, percentile, ratio, seconds, size, table


def test_a_median_of_five_leaves_the_odd_run_out() -> None:
    assert median([9.0, 1.0, 2.0, 100.0, 3.0]) == 3.0
    assert median([]) is None


@pytest.mark.parametrize(("share", "expected"), [(0.5, 10), (0.95, 19), (0.951, 20), (1, 20), (0.01, 1)])
def test_a_percentile_is_the_nearest_rank(share: float, expected: int) -> None:
    assert percentile(list(range(20, 0, -1)), share) == expected


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_its_share_does_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0), ([1.0], 1.1)])
def test_a_percentile_of_nothing_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile(values, share)


def test_growth_is_what_a_role_of_an_interval_adds() -> None:
    assert growth({100: 12.0, 10: 3.0, 200: 13.0}) == {100: 0.1, 200: 0.01}


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ({10: 1.0, 100: 10.0, 1000: 100.0}, None),
        ({10: 1.0, 100: 10.0, 1000: 144.0}, None),
        ({10: 1.0, 100: 10.0, 1000: 146.0}, 100),
        ({10: 1.0, 100: 10.0, 500: 50.0, 1000: 200.0}, 500),
        ({10: 5.0, 100: 4.0, 200: 14.0, 300: 24.0}, None),
        ({10: 1.0, 100: 1000.0}, None),
        ({}, None),
    ],
)
def test_growth_bends_where_a_role_adds_half_as_much_again(points: dict[int, float], expected: int | None) -> None:
    assert bend(points) == expected


def test_figures_have_the_digits_that_tell_something() -> None:
    assert [seconds(value) for value in (None, 0.123, 1.26, 123.4)] == ["—", "0.12 s", "1.3 s", "123 s"]
    assert [milliseconds(value) for value in (0.01234, 0.1234)] == ["12.3 ms", "123 ms"]
    assert [size(value) for value in (10, 2048, 3 * 2**20, 5 * 2**29)] == ["10 B", "2.0 KiB", "3.0 MiB", "2.50 GiB"]
    assert [ratio(3.0, 2.0), ratio(None, 2.0), ratio(3.0, None)] == ["1.50", "—", "—"]


def test_a_cell_ends_no_cell_of_a_table() -> None:
    assert table(["a", "b"], [["x|y", "1"]]).splitlines() == ["| a | b |", "| --- | ---: |", "| x&#124;y | 1 |"]
