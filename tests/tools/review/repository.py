"""A repository with one stack to change, as a reviewer would have it."""

import json
import os
import subprocess
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

ACCOUNT = "333344445555"
_REPORTS = "arn:aws:s3:::reports"
_QUEUES = {
    "findings": ["wildcard-action"],
    "reason": "the vendor's agent says only at run time what it asks",
    "expires": "2036-12-31",
}
STACK: dict[str, Any] = {
    "aws:region": "us-east-1",
    "aws:allowedAccountIds": [ACCOUNT],
    "vault:address": "https://vault.example.com:8200",
    "vault-aws:engines": {"aws": {"permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/landing-zone/boundary"}},
    "vault-aws:authMethods": {"approle": {"type": "approle"}},
    "vault-aws:access": {
        "reporting": {"roles": ["reports"], "appRole": {"tokenTtl": "30m", "tokenMaxTtl": "2h"}},
        "releases": {
            "roles": ["deploy"],
            "jwt": {"boundAudiences": ["https://vault.example.com"], "boundSubject": "repo:example/orders:ref:main"},
        },
    },
    "vault-aws:roles": {
        "reports": {"credentialType": "iam_user", "policy": "reports.json"},
        "queues": {"credentialType": "iam_user", "policy": "queues.json", "exemptions": [_QUEUES]},
        "deploy": {"credentialType": "assumed_role", "roleArns": [f"arn:aws:iam::{ACCOUNT}:role/deploy"]},
    },
}
POLICIES: dict[str, Any] = {
    "reports.json": {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": _REPORTS},
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": f"{_REPORTS}/*"},
        ],
    },
    "queues.json": {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sqs:Get*", "Resource": "arn:${partition}:sqs:${region}:${account}:orders"}
        ],
    },
}


class Repository:
    """A git repository with a stack `prod`; what is changed in `stack` and `policies` is written by `write`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack, self.policies = deepcopy(STACK), deepcopy(POLICIES)
        (folder / "policies").mkdir()
        self.git("init", "-q", "-b", "main")
        self.write()
        self.commit()
        self.git("checkout", "-q", "-b", "change")

    def write(self) -> None:
        """Writes the stack and its policies as they are now."""
        self.text(yaml.safe_dump({"config": self.stack}))
        for name, document in self.policies.items():
            text = document if isinstance(document, str) else json.dumps(document, indent=2)
            (self.folder / "policies" / name).write_text(text)

    def text(self, text: str, stack: str = "prod") -> None:
        """Writes a stack's file."""
        (self.folder / f"Pulumi.{stack}.yaml").write_text(text)

    def commit(self) -> None:
        """Commits all that there is."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "work")

    def git(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        """Runs git, with nobody's own settings."""
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        names = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env={**os.environ, **alone, **names, **(env or {})},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout
