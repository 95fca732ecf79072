"""Settings of static roles: existing IAM users whose keys Vault rotates.

Source: https://developer.hashicorp.com/vault/api-docs/secret/aws#create-update-static-role
"""

from typing import Annotated

from pydantic import Field

from settings.durations import Duration
from settings.types import IamPath, Model, matches


class StaticRole(Model):
    """An IAM user that exists, whose access key Vault replaces at every period. Vault 1.14 or later."""

    engine: str | None = None
    """The engine that rotates it; may be left out where there is one."""
    user_name: Annotated[str, matches(r"[\w+=,.@-]{1,64}", "is not an IAM user name")]
    """The IAM user's name."""
    user_path: IamPath = "/"
    """The IAM user's path."""
    rotation_period: Annotated[Duration, Field(ge=60)]
    """How long a key lives. A change replaces the role and so the key at once."""
