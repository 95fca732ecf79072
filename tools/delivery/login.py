"""Logs a job in to Vault by the token of its run: no secret of a repository's settings takes part.

GitHub gives a job with the permission `id-token: write` an address and a request token for it
(https://docs.github.com/en/actions/reference/security/oidc). Elsewhere the token itself stands in `VAULT_ID_TOKEN`, as
GitLab's `id_tokens` have it (https://docs.gitlab.com/ci/secrets/id_token_authentication/).
"""

from collections.abc import Mapping
from pathlib import Path

import hvac
import requests

from settings.load import read_config
from settings.vault_connection import VaultConnection
from tools.errors import ToolError
from tools.paths import PROJECT
from tools.private_files import write_private

_TIMEOUT = 30


def log_in(stack: str, role: str, path: str, environ: Mapping[str, str], project: Path = PROJECT) -> str:
    """Logs in with the run's own token.

    Args:
        stack: The stack; its Vault is the one that is asked, and the audience of the token.
        role: The role of Vault's JWT method.
        path: Where that method is mounted.
        environ: The job's environment.
        project: The folder of the project.

    Returns:
        The Vault token. It is a secret.

    Raises:
        ToolError: The job may ask for no token, or Vault does not let it in.
    """
    vault = VaultConnection.of(read_config(project / f"Pulumi.{stack}.yaml"))
    if not vault.address:
        raise ToolError(f"Pulumi.{stack}.yaml: vault:address: is missing; name the stack's Vault")
    client = hvac.Client(url=vault.address, token="", verify=vault.verify, namespace=vault.namespace)
    try:
        answer = client.adapter.post(
            f"/v1/auth/{path}/login", json={"role": role, "jwt": _run_token(vault.address, environ)}
        )
    except (hvac.exceptions.VaultError, requests.RequestException) as error:
        # What the client says of a failed connection holds the address, and never the body.
        raise ToolError(
            f"Vault at {vault.address} does not let this job in as {role} at auth/{path}: "
            f"{' '.join(str(error).split())}; it is bound to a repository, a branch and an environment: see "
            f"`vault read auth/{path}/role/{role}`"
        ) from None
    return str(answer["auth"]["client_token"])


def log_out(stack: str, environ: Mapping[str, str], project: Path = PROJECT) -> str:
    """Ends the token that `hand_on` gave to the job, and with it the leases that the job left.

    A job's work is done by then, so that a Vault which refuses is no failure: the token ends by itself.

    Returns:
        What became of it, to print.
    """
    place = _place(environ)
    token = environ.get("VAULT_TOKEN") or (place.read_text(encoding="utf-8").strip() if place.is_file() else "")
    if not token:
        return "there is no Vault token to give back"
    vault = VaultConnection.of(read_config(project / f"Pulumi.{stack}.yaml"))
    client = hvac.Client(url=vault.address, token=token, verify=vault.verify, namespace=vault.namespace)
    try:
        client.adapter.post("/v1/auth/token/revoke-self")
    except (hvac.exceptions.VaultError, requests.RequestException) as error:
        return f"Vault did not take its token back, which ends by itself: {' '.join(str(error).split())}"
    if not environ.get("VAULT_TOKEN"):
        place.unlink()
    return "the Vault token is given back"


def _run_token(audience: str, environ: Mapping[str, str]) -> str:
    if given := environ.get("VAULT_ID_TOKEN"):
        return given
    url, secret = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"), environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not secret:
        raise ToolError(
            "this job has no token of its run: give it the permission `id-token: write` on GitHub, or set "
            "VAULT_ID_TOKEN to an id token elsewhere"
        )
    try:
        answer = requests.get(
            url, params={"audience": audience}, headers={"Authorization": f"Bearer {secret}"}, timeout=_TIMEOUT
        )
        answer.raise_for_status()
        return str(answer.json()["value"])
    except (requests.RequestException, ValueError, KeyError) as error:
        raise ToolError(f"GitHub gave this run no token ({type(error).__name__}); run the job again") from None


def hand_on(token: str, environ: Mapping[str, str]) -> str:
    """Gives the token to the job's later steps, and keeps it out of the log.

    Returns:
        What to print: on GitHub the command that masks the token, elsewhere where it is.
    """
    if file := environ.get("GITHUB_ENV"):
        with Path(file).open("a", encoding="utf-8") as env:
            env.write(f"VAULT_TOKEN={token}\n")
        return f"::add-mask::{token}"
    place = _place(environ)
    write_private(place, token)
    return f"the token is in {place}"


def _place(environ: Mapping[str, str]) -> Path:
    """The Vault CLI's own place of a token, which the provider and the tools read as well."""
    return Path(environ.get("HOME") or "~").expanduser() / ".vault-token"
