"""Who may act for a stack from GitHub Actions: the trust of the AWS roles, and the claims that Vault asks for.

Two principals an environment. One makes changes: a job of the repository's main branch that runs in the GitHub
environment of that name, whose approvals are thereby the way to it. One only reads: a job of a pull request, or of the
main branch. A fork's pull request gets no token from GitHub, and so is neither.

Sources: https://docs.github.com/en/actions/reference/security/oidc for the claims;
https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/ for the numbers in a
subject;
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif for those
that AWS compares beside `sub` and `aud`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

AWS_AUDIENCE = "sts.amazonaws.com"
"""The audience of which AWS's own action asks GitHub for a token."""
DEPLOY, PREVIEW = "deploy", "preview"
"""What the two principals are for."""


@dataclass(frozen=True)
class Repository:
    """Whose jobs they are.

    Attributes:
        name: Owner and repository, `example/vault-aws`.
        branch: The branch from which changes are made.
        issuer: The issuer of the jobs' tokens, with its scheme.
        ids: GitHub's numbers of owner and repository, if the tokens' subject has them. They belong to nobody else who
            takes the names over.
    """

    name: str
    branch: str
    issuer: str
    ids: tuple[int, int] | None = None

    @property
    def subject(self) -> str:
        """How the subject of its tokens begins."""
        if self.ids is None:
            return f"repo:{self.name}"
        owner, name = self.name.split("/")
        return f"repo:{owner}@{self.ids[0]}/{name}@{self.ids[1]}"

    def claims(self, purpose: str, environment: str) -> dict[str, list[str]]:
        """The claims that a token must have for a purpose in an environment, each with one of these values."""
        ref = f"refs/heads/{self.branch}"
        if purpose == DEPLOY:
            subjects = [f"{self.subject}:environment:{environment}"]
            return {"repository": [self.name], "sub": subjects, "ref": [ref], "environment": [environment]}
        return {"repository": [self.name], "sub": [f"{self.subject}:pull_request", f"{self.subject}:ref:{ref}"]}

    def trust_policy(self, provider_arn: str, purpose: str, environment: str) -> str:
        """The trust policy of an AWS role: the repository's tokens with the claims of the purpose.

        `StringEquals` is false of a claim that a token lacks, so that nothing is let in by leaving something out.
        """
        host = self.issuer.removeprefix("https://")
        asked: Mapping[str, list[str]] = {"aud": [AWS_AUDIENCE], **self.claims(purpose, environment)}
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{host}:{claim}": values for claim, values in asked.items()}},
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
