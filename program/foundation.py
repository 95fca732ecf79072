"""What an update makes first where a stack is new and has many roles: all that must be recorded step by step."""

import os
from collections.abc import Mapping
from typing import Final

from settings.access import Binding

FOUNDATION: Final = "VAULT_AWS_FOUNDATION"
"""The environment variable that, set to anything, has the program declare no more than roles stand on.

What it leaves out is what Vault takes again under the same name (`tools.update` says why that matters): roles, their
Vault policies, and all logins but AppRoles, which Vault does not take again.
"""


def whole() -> bool:
    """Whether all of the stack is declared."""
    return not os.environ.get(FOUNDATION)


def declared_access(access: Mapping[str, Binding]) -> Mapping[str, Binding]:
    """The bindings that are declared, of those of the settings."""
    return {name: binding for name, binding in access.items() if whole() or binding.method == "app_role"}
