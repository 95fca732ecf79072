"""Claims of a JWT to which a role is bound: whether they say who the caller is.

Source: https://developer.hashicorp.com/vault/docs/auth/jwt#bound-claims; for GitHub's tokens
https://docs.github.com/en/actions/reference/security/oidc.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from settings.plain import shown
from settings.types import unique

_ANYBODYS = frozenset(
    [
        "aud",
        "iss",
        "exp",
        "iat",
        "nbf",
        "jti",
        "environment",
        "event_name",
        "base_ref",
        "head_ref",
        "ref",
        "ref_type",
        "ref_protected",
        "runner_environment",
        "repository_visibility",
        "run_attempt",
        "run_id",
        "run_number",
        "sha",
        "workflow",
    ]
)
"""Claims that say what a job does, or for whom a token was made; anybody's token can carry the same value."""

_OWNED = frozenset(
    ["repository", "repository_owner", "job_workflow_ref", "workflow_ref", "project_path", "namespace_path"]
)
"""Claims of GitHub and GitLab whose values begin with an owner, whose name anybody may choose."""

_OWNERLESS = re.compile(r"(repo|repository|project_path):[^/]*\*|\*")
"""How a pattern begins that the subjects of many owners match."""


def _one_as_list(value: Any) -> Any:  # noqa: ANN401 - whatever YAML held
    return [value] if isinstance(value, str) else value


_TEXT = {"type": "string"}
BoundClaims = dict[
    Annotated[str, Field(min_length=1)],
    Annotated[
        list[Annotated[str, Field(min_length=1)]],
        BeforeValidator(_one_as_list),
        AfterValidator(unique),
        Field(min_length=1),
        WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}),
    ],
]
"""Claims by name, each with its value or a list of values of which one must match."""


def bound_claims_fault(claims: Mapping[str, list[str]], *, glob: bool) -> str | None:
    """Says which value of a claim can match nothing, or everything; None if none does."""
    for claim, values in claims.items():
        for value in values:
            if "," in value:
                return f"boundClaims.{claim}: {shown(value)} holds a comma, which separates values; write a list"
            if glob and not value.strip("*"):
                return f"boundClaims.{claim}: {shown(value)} is true of every token that has the claim; name its value"
            if not glob and "*" in value:
                return (
                    f"boundClaims.{claim}: {shown(value)} is compared letter by letter; write it in full, or set "
                    "boundClaimsType: glob"
                )
    return None


def identifies(claims: Mapping[str, list[str]], *, glob: bool) -> bool:
    """Whether some claim ties a token to somebody: not one that anybody's token can have."""
    return any(
        claim not in _ANYBODYS and not (glob and any(_of_many_owners(claim, value) for value in values))
        for claim, values in claims.items()
    )


def _of_many_owners(claim: str, pattern: str) -> bool:
    return bool(_OWNERLESS.match(pattern)) or (claim in _OWNED and "*" in pattern.partition("/")[0])
