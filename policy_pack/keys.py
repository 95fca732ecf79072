"""Rules about the keys of Vault's IAM users, and about what records their use."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from policy_pack.facts import Facts
from policy_pack.values import UNKNOWN, Props, known

USER = "aws:iam/user:User"
AUDIT = "vault:index/audit:Audit"
MADE, RENEW_BY = "vault-aws:key-made", "vault-aws:key-renew-by"
"""The tags of a user that say how old its key is and may become."""


def key_age(kind: str, props: Props, facts: Facts) -> Iterator[str]:
    """A key whose age is known is renewed in time."""
    if kind != USER or not isinstance(tags := known(props, "tags") or {}, Mapping):
        return
    renew_by = known(tags, RENEW_BY)
    if renew_by in (None, UNKNOWN):
        return
    name = known(props, "name")
    try:
        late = date.fromisoformat(str(renew_by)) < facts.today
    except ValueError:
        yield f"The IAM user {name} has the tag {RENEW_BY} with {renew_by!r}; write a day such as 2027-03-31."
        return
    if late:
        yield (
            f"The key of the IAM user {name} was made on {known(tags, MADE)} and should have been renewed by "
            f"{renew_by}; run `make rotate`."
        )


def audited(kinds: Collection[str], facts: Facts) -> Iterator[str]:
    """Vault writes an audit log: to a device of the stack, or to one that others make and the program checks."""
    if facts.environment.audited and AUDIT not in kinds and not facts.devices_of_others:
        yield (
            f"Nothing in this stack makes Vault write an audit log, and in {facts.name} every credential must be "
            "traceable; declare devices under vault-aws:audit."
        )
