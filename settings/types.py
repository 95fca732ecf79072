"""The kinds of value that settings hold, each with the rule that it keeps."""

import re
from collections import Counter
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from settings.arns import arn_fault
from settings.plain import shown


class Model(BaseModel):
    """A part of the settings: closed to unknown keys, its keys in camel case."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, use_attribute_docstrings=True, strict=True
    )


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
"""A name that stands in resource names and IAM names: lower-case letters, digits and hyphens."""


def rule_broken(message: str) -> PydanticCustomError:
    """A value's fault, in words for its reader."""
    # The message may hold braces of a template or placeholder, which pydantic would try to fill.
    return PydanticCustomError("rule", "{text}", {"text": message})


def matches(pattern: str, rule: str) -> AfterValidator:
    """Text that matches a pattern whole; `rule` ends the sentence that begins with the value."""
    form = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise rule_broken(f"{shown(value)} {rule}")
        return value

    return AfterValidator(check)


def arn_of(service: str, kind: str) -> AfterValidator:
    """The ARN of one kind of resource."""

    def check(value: str) -> str:
        if message := arn_fault(value, service, kind):
            raise rule_broken(message)
        return value

    return AfterValidator(check)


def unique(values: list[str]) -> list[str]:
    """A list in which nothing stands twice."""
    for value, count in Counter(values).items():
        if count > 1:
            raise rule_broken(f"{shown(value)} stands there {count} times; once is enough")
    return values


MountPath = Annotated[
    str,
    matches(
        r"(?!(sys|auth|identity|cubbyhole|secret)(/|$))[\w.-]+(/[\w.-]+)*",
        "cannot be a mount path; write words joined by single slashes, such as aws or teams/data, "
        "outside sys/, auth/, identity/, cubbyhole/ and secret/",
    ),
    matches(r"(?!.*(^|/)\.\.?(/|$)).*", "leaves its place with a dot segment; write the path in full"),
]
IamPath = Annotated[
    str,
    matches(r"/|/[\x21-\x7e]{1,510}/", "is not an IAM path; begin and end it with a slash, such as /vault/"),
    # It becomes a part of ARNs in policies.
    matches(r"[^*?]*", "holds a wildcard, with which a policy would be about other paths too; write the path itself"),
]
RoleArn = Annotated[str, arn_of("iam", "role")]
PolicyArn = Annotated[str, arn_of("iam", "policy")]
Endpoint = Annotated[
    str,
    matches(r"https?://[\w.\-\[\]:]+(/.*)?", "is not a URL; write https://host, with the port if it has one"),
]
Region = Annotated[
    str, matches(r"[a-z]{2,4}(-[a-z]+)+-\d", "is not a region's name; write it as AWS does, such as us-west-2")
]
GroupName = Annotated[
    str, matches(r"[\w+=,.@-]{1,128}", "is not the name of an IAM group; letters, digits and +=,.@_- only")
]
Tags = Annotated[
    dict[
        Annotated[
            str,
            matches(r"(?!aws:)[\w\s.:/=+@-]{1,128}", "cannot be a tag's key; 1 to 128 characters, no aws:"),
        ],
        Annotated[str, matches(r"[\w\s.:/=+@-]{0,256}", "cannot be a tag's value; at most 256 characters")],
    ],
    Field(max_length=50),
]


RoleName = Annotated[
    str,
    matches(
        r"(?=.{1,64}$)\w([\w.@-]*\w)?",
        "cannot be a role's name; write 1 to 64 letters, digits, _, -, . or @ that begin and end with "
        "a letter, a digit or _ (it is a path segment in Vault and a policy's name in IAM)",
    ),
]
