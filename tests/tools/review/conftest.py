"""A repository for each test."""

from pathlib import Path

import pytest

from tests.tools.review.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)
