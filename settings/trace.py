"""The tags that lead from an IAM user back to the role it was made for."""

from collections.abc import Iterator

from settings.roles import IamUserRole

PREFIX = "vault-aws/"
"""How the keys of the stack's own tags begin."""
TAGS_A_USER = 50
"""How many tags IAM takes on a user."""


def trace_tags(role: str, environment: str, mount: str) -> dict[str, str]:
    """The tags of a role's IAM users."""
    return {f"{PREFIX}role": role, f"{PREFIX}environment": environment, f"{PREFIX}mount": mount}


def trace_tag_faults(place: str, role: IamUserRole) -> Iterator[tuple[str, str]]:
    """Says where a role's tags leave no room for the stack's own, or would hide them."""
    for key in role.iam_tags:
        if key.lower().startswith(PREFIX):
            yield f"{place}.tags.{key}", f"{key!r} begins with {PREFIX!r}, as the stack's own tags do; rename it"
    own = len(trace_tags("", "", ""))
    if len(role.iam_tags) > TAGS_A_USER - own:
        yield (
            f"{place}.tags",
            f"are {len(role.iam_tags)}; IAM takes {TAGS_A_USER} and the stack adds {own}, so at most "
            f"{TAGS_A_USER - own} are yours",
        )
