"""AWS's limits on the size of a policy, and sizes as AWS counts them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, "IAM and STS character
limits". White space does not count.
"""

import json
from typing import Self


class SizeLimit(int):
    """A limit in characters, with the rule that it comes from."""

    rule: str
    """What AWS limits."""
    way_out: str
    """What a person can do about it."""

    def __new__(cls, characters: int, rule: str, way_out: str) -> Self:
        """Makes a limit of so many characters."""
        limit = super().__new__(cls, characters)
        limit.rule = rule
        limit.way_out = way_out
        return limit


_SHORTEN = "shorten it with wildcards or by joining statements"

INLINE_POLICY_LIMIT = SizeLimit(
    2_048,
    "in all inline policies of an IAM user",
    f"{_SHORTEN}, or move a part into a managed policy that policyArns names (6,144 characters each)",
)
"""An IAM user's inline policies together; Vault gives each user it makes one, the role's policy."""
MANAGED_POLICY_LIMIT = SizeLimit(6_144, "in a managed policy", f"{_SHORTEN}, or split it in two policies")
"""One managed policy."""
SESSION_POLICY_LIMIT = SizeLimit(
    2_048,
    "in a session policy",
    f"{_SHORTEN}, or move a part into a managed policy that policyArns names",
)
"""A policy handed to sts:AssumeRole or sts:GetFederationToken."""


def size_of(document: str) -> int:
    """How many characters of a policy AWS counts.

    White space between the parts of the JSON is left out. That inside a text is counted, which is at worst
    a little more than AWS counts. Characters beyond ASCII count as one, as they do in the text itself.

    Args:
        document: The policy as JSON text.
    """
    return len(json.dumps(json.loads(document), separators=(",", ":"), ensure_ascii=False))


def size_fault(document: str, limit: SizeLimit) -> str | None:
    """Says that a policy is too large, what AWS takes and what to do, or None."""
    size = size_of(document)
    if size <= limit:
        return None
    return f"has {size:,} characters, and AWS takes {limit:,} {limit.rule}; {limit.way_out}"
