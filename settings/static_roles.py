"""Settings of static roles: existing IAM users whose keys Vault rotates.

Source: https://developer.hashicorp.com/vault/api-docs/secret/aws#create-update-static-role
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from settings.durations import Duration
from settings.types import IamPath, Model, matches


class StaticRole(Model):
    """An IAM user that exists, whose access key Vault replaces at every period. Vault 1.14 or later."""

    engine: str | None = None
    """The engine that rotates it; may be left out where there is one."""
    user_name: Annotated[
        str, matches(r"[\w+=,.@-]{1,64}", "is not an IAM user name; write 1 to 64 letters, digits and +=,.@_-")
    ]
    """The IAM user's name."""
    user_path: IamPath = "/"
    """The IAM user's path."""
    rotation_period: Annotated[Duration, Field(ge=60)]
    """How long a key lives. A change replaces the role and so the key at once."""


def static_role_faults(roles: Mapping[str, StaticRole], vault_users: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The rules that take more than one static role, as (field, message).

    Args:
        roles: The static roles, by name.
        vault_users: The name of the IAM user whose key each engine holds, by engine.
    """
    # Of one account's users no two have the same name, whatever their paths and the case.
    engines = {user.lower(): engine for engine, user in vault_users.items()}
    owners: dict[str, str] = {}
    for name, role in roles.items():
        user = role.user_name.lower()
        if user in engines:
            yield (
                f"staticRoles.{name}.userName",
                f"{role.user_name!r} is the user whose key engine {engines[user]} works with, and each rotation here "
                "would end that key; `rotation` of the engine says who rotates it, so name another user",
            )
        owner = owners.setdefault(user, name)
        if owner != name:
            yield (
                f"staticRoles.{name}.userName",
                f"{role.user_name!r} is the user of staticRoles.{owner} too, and each would delete the keys of the "
                "other; keep one of them, and give access to it",
            )
