"""What is given to make reaches the commands as it is, and no shell."""

import subprocess
from pathlib import Path

import pytest

from tools.paths import PROJECT

FORMS = ('x"; touch {0}; "', "x'; touch {0}; '", "x;touch {0}", "$$(touch {0})", "`touch {0}`", "x\n\ttouch {0}")
COMMANDS = [
    ("preview", "STACK"),
    ("pulumi-policy", "STACK"),
    ("drift", "STACK"),
    ("review", "STACK"),
    ("review", "BASE"),
    ("new-env", "NAME"),
    ("audit", "ROLE"),
]
ALL_AT_ONCE = "\"; touch {0}; '; touch {0}; \n\ttouch {0}"


@pytest.mark.parametrize(
    ("command", "variable", "form"),
    [("check", "FILES", form) for form in FORMS] + [(*command, ALL_AT_ONCE) for command in COMMANDS],
)
def test_no_value_is_a_command(command: str, variable: str, form: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    words = ["make", command, f"{variable}={form.format(mark)}"] + (["STACK=none"] if command == "audit" else [])
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert not mark.exists()
    assert "Traceback" not in done.stderr


def test_a_stack_without_a_file_is_named_with_those_that_have_one() -> None:
    words = ["make", "up", "STACK=none"]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[0] == (
        "STACK=none: there is no Pulumi.none.yaml; the stacks are dev, local, prod, staging, and `make new-env NAME=…` "
        "makes another"
    )
