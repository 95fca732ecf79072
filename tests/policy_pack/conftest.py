"""The toolchain, for the tests on the engine."""

from tests.e2e.conftest import tools

__all__ = ["tools"]
