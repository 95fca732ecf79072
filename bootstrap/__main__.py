"""The identities of a pipeline for one stack: AWS roles and Vault logins, for changes and for previews."""

import sys
from functools import partial
from pathlib import Path

# Pulumi runs this folder; what the programs have in common stands beside it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import pulumi

from bootstrap.inputs import read_delivery
from components.access import JwtAccess
from components.account import caller_account
from components.auth_method import AuthMethod
from components.delivery_roles import DeliveryRoles
from components.vault_policies import VaultPolicies
from documents.delivery import AWS_AUDIENCE, DEPLOY, PREVIEW
from documents.pulumi_aws_policy import pulumi_aws_policy
from documents.pulumi_policy import preview_policy, proof_policy, pulumi_policy

delivery, documents, config = read_delivery()
settings, environment = documents.settings, documents.settings.environment
place = caller_account(documents.accounts)
names = {purpose: f"vault-aws-{purpose}-{environment}" for purpose in (DEPLOY, PREVIEW)}
proof = f"vault-aws-proof-{environment}"

roles = DeliveryRoles(
    "delivery",
    {
        "issuer": delivery.issuer,
        "audience": AWS_AUDIENCE,
        "provider_arn": delivery.provider_arn or None,
        "path": "/delivery/",
        "roles": {
            purpose: {
                "role_name": name,
                "trust_policy": partial(delivery.jobs.trust_policy, purpose=purpose, environment=environment),
                "policy": pulumi_aws_policy(
                    documents, **place, changes=purpose == DEPLOY, state=delivery.store(place["partition"])
                ),
            }
            for purpose, name in names.items()
        },
    },
)

method = AuthMethod(
    delivery.auth_path,
    {
        "path": delivery.auth_path,
        "type": "jwt",
        "bound_issuer": delivery.issuer,
        "oidc_discovery_url": None if delivery.issuer_keys else delivery.issuer,
        "validation_public_keys": delivery.issuer_keys,
    },
)
policies = VaultPolicies(
    "delivery",
    {
        "policies": {
            names[DEPLOY]: pulumi_policy(settings),
            proof: proof_policy(settings),
            names[PREVIEW]: preview_policy(settings),
        }
    },
)
logins = {
    purpose: JwtAccess(
        name,
        {
            "mount": method.path,
            "policies": [name, proof] if purpose == DEPLOY else [name],
            "bound_audiences": [str(config["vault:address"])],
            "bound_claims": delivery.jobs.claims(purpose, environment),
            "user_claim": "actor",
            "token_ttl": 3600,
            "token_max_ttl": 3600,
        },
        pulumi.ResourceOptions(depends_on=[policies]),
    )
    for purpose, name in names.items()
}

pulumi.export("awsRoles", roles.role_arns)
pulumi.export(
    "vaultLogins", {purpose: {"path": login.login, "role": names[purpose]} for purpose, login in logins.items()}
)
