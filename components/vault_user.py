"""The IAM user whose key Vault's AWS secrets engine holds."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.key_propagation import accepted_key


class VaultUserArgs(TypedDict):
    """Arguments of `VaultUser`."""

    user_name: pulumi.Input[str]
    """The IAM user's name. It must lie outside the names of the users that Vault makes."""

    user_path: pulumi.Input[str]
    """The IAM user's path, with a slash at both ends."""

    key_generation: int | str | None
    """The generation of the access key. Another one makes a new key, and the old one is deleted last.
    None makes no key."""

    policies: Mapping[str, pulumi.Input[str]]
    """IAM policy documents (JSON) by purpose; each becomes a managed policy of the user."""

    managed_policy_arns: NotRequired[list[str]]
    """Existing managed policies to attach as well. Default: none."""

    region: pulumi.Input[str]
    """The region whose STS says when a new key is accepted."""

    sts_endpoint: NotRequired[pulumi.Input[str] | None]
    """Another address of STS. Default: that of the region."""

    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the user. Default: false."""

    keys_of_its_own: NotRequired[bool]
    """Whether the user gets keys that the stack does not know, to be deleted along with it. Default: false."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags on the user and its policies. Default: none."""


class VaultUser(pulumi.ComponentResource):
    """An IAM user with the rights that its engine's roles need, and an access key.

    It guarantees an order: the key is made once the policies are attached, so that whoever holds the key
    can use it; and what `access_key` and `secret_key` give is accepted by AWS already, which takes a new
    key some seconds (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency).
    A new key generation leaves the old key valid until everything that depends on the new one is updated.
    """

    user_arn: pulumi.Output[str]
    """The user's ARN."""

    policies: Mapping[str, pulumi.Resource]
    """The attachments of its own policies, by purpose, for whatever must go before them."""

    access_key: pulumi.Output[str] | None
    """The id of the key; a secret, as the provider of Vault has it. None without a key."""

    secret_key: pulumi.Output[str] | None
    """The key itself; a secret. None without a key."""

    def __init__(self, name: str, args: VaultUserArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vault-aws:iam:VaultUser", name, None, opts)
        tags = args.get("tags")
        user = aws.iam.User(
            f"{name}-user",
            name=args["user_name"],
            path=args["user_path"],
            tags=tags,
            force_destroy=args.get("keys_of_its_own"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect")),
        )
        self.policies = {
            purpose: self._own_policy(f"{name}-{purpose}", args, user, document)
            for purpose, document in args["policies"].items()
        }
        attachments = [
            *self.policies.values(),
            *(
                aws.iam.UserPolicyAttachment(
                    f"{name}-{arn}", user=user.name, policy_arn=arn, opts=pulumi.ResourceOptions(parent=self)
                )
                for arn in args.get("managed_policy_arns", [])
            ),
        ]
        self.user_arn = user.arn
        self.access_key = self.secret_key = None
        if args["key_generation"] is not None:
            self.access_key, self.secret_key = self._key(name, args, user, attachments)
        self.register_outputs({"userArn": self.user_arn, "accessKey": self.access_key, "secretKey": self.secret_key})

    def _key(
        self, name: str, args: VaultUserArgs, user: aws.iam.User, attachments: Sequence[pulumi.Resource]
    ) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        key = aws.iam.AccessKey(
            f"{name}-key-{args['key_generation']}",
            user=user.name,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=attachments,
                additional_secret_outputs=["secret", "sesSmtpPasswordV4"],
                # Vault deletes the key that it replaces; what is left of it goes with the user.
                retain_on_delete=args.get("keys_of_its_own"),
            ),
        )
        accepted = accepted_key(key.id, key.secret, args["region"], args.get("sts_endpoint"))
        return accepted.apply(lambda pair: pair[0]), accepted.apply(lambda pair: pair[1])

    def _own_policy(
        self, name: str, args: VaultUserArgs, user: aws.iam.User, document: pulumi.Input[str]
    ) -> aws.iam.UserPolicyAttachment:
        policy = aws.iam.Policy(
            name,
            name=pulumi.Output.concat(args["user_name"], name.removeprefix(self._name)),
            path=args["user_path"],
            policy=document,
            tags=args.get("tags"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.iam.UserPolicyAttachment(
            name, user=user.name, policy_arn=policy.arn, opts=pulumi.ResourceOptions(parent=policy)
        )
