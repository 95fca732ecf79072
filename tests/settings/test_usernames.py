"""Which username templates AWS would refuse."""

import pytest

from settings.usernames import username_prefix, username_template_fault

VAULTS_OWN = (
    '{{ if (eq .Type "STS") }}{{ printf "vault-%s-%s"  (unix_time) (random 20) | truncate 32 }}'
    '{{ else }}{{ printf "vault-%s-%s-%s" (printf "%s-%s" (.DisplayName) (.PolicyName) | truncate 42) '
    "(unix_time) (random 20) | truncate 64 }}{{ end }}"
)


@pytest.mark.parametrize(
    "template",
    [
        VAULTS_OWN,
        "vault-{{ unix_time }}-{{ random 10 }}",
        'vault-{{ .DisplayName | truncate 10 }}{{ "-" }}{{ random 8 | lowercase }}',
        '{{ printf "lease-%s" (random 20) }}',
    ],
)
def test_a_good_template_has_no_fault(template: str) -> None:
    assert username_template_fault(template) is None


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        (
            "vault-{{ .DisplayName }}",
            "the name of an IAM user has at most 64 characters and this template allows no bound; "
            "end the expression with `| truncate 64`",
        ),
        (
            "vault-{{ random 30 }}",
            "the name of a federated user has at most 32 characters and this template allows 36 characters; "
            "end the expression with `| truncate 32`",
        ),
        ("vault {{ random 8 }}", "' ' cannot stand in an IAM user name; use letters, digits and +=,.@_-"),
        ("vault-{{ random 8 }", "an action is not closed; write {{ … }}"),
        ("vault-{{}}", "an action is empty; write {{ random 20 }}, say"),
        (
            "{{ random 20 }}",
            "every name must begin with fixed text, to which Vault's rights are scoped; begin with 'vault-', say",
        ),
        (
            '{{ if (eq .Type "IAM") }}vault-a{{ else }}vault-b{{ end }}',
            'the one condition that can be checked is {{ if (eq .Type "STS") }}…{{ else }}…{{ end }} around the whole '
            "template; rewrite it in that form",
        ),
    ],
)
def test_a_bad_template_says_why(template: str, fault: str) -> None:
    assert username_template_fault(template) == fault


def test_the_prefix_is_that_of_iam_users() -> None:
    assert username_prefix(None) == "vault-"
    assert username_prefix(VAULTS_OWN) == "vault-"
    template = '{{ if (eq .Type "STS") }}sts-{{ random 8 }}{{ else }}people-{{ random 8 }}{{ end }}'
    assert username_prefix(template) == "people-"
