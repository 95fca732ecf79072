"""A job's login, but for Vault's part: that is tried on the engine, with the identities of the bootstrap program."""

import stat
from pathlib import Path

import pytest

from tests.tools.delivery.github import FakeGitHub
from tools.delivery.__main__ import main
from tools.delivery.login import hand_on, log_in, log_out
from tools.errors import ToolError


def project(folder: Path, *, address: str = "http://127.0.0.1:1") -> Path:
    (folder / "Pulumi.dev.yaml").write_text(f"config: {{'vault:address': '{address}'}}\n")
    return folder


def test_a_job_without_a_token_of_its_run_is_told_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="give it the permission `id-token: write` on GitHub, or set VAULT_ID_TOKEN"):
        log_in("dev", "role", "delivery", {}, project(tmp_path))


def test_github_is_asked_for_the_stacks_own_vault_and_failures_hold_no_token(tmp_path: Path) -> None:
    with FakeGitHub(mint=lambda audience: f"the-jwt for {audience}").running() as github:
        environ = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{github.url}/id-token",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-token",
        }
        with pytest.raises(ToolError, match=r"127\.0\.0\.1:1 does not let this job in as role") as raised:
            log_in("dev", "role", "delivery", environ, project(tmp_path))
        assert github.asked == [("GET", "/id-token")]
        assert "the-jwt" not in str(raised.value)
        github.mint = None
        with pytest.raises(ToolError, match=r"GitHub gave this run no token \(HTTPError\); run the job again"):
            log_in("dev", "role", "delivery", environ, project(tmp_path))


def test_a_stack_without_a_vault_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_ADDR", raising=False)
    with pytest.raises(ToolError, match=r"Pulumi\.dev\.yaml: vault:address: is missing"):
        log_in("dev", "role", "delivery", {"VAULT_ID_TOKEN": "x"}, project(tmp_path, address=""))


def test_the_token_goes_to_later_steps_and_is_masked(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("A=b\n")
    assert hand_on("hvs.secret", {"GITHUB_ENV": str(file)}) == "::add-mask::hvs.secret"
    assert file.read_text() == "A=b\nVAULT_TOKEN=hvs.secret\n"


def test_elsewhere_it_is_where_the_vault_cli_looks_for_it(tmp_path: Path) -> None:
    said = hand_on("hvs.secret", {"HOME": str(tmp_path)})
    place = tmp_path / ".vault-token"
    assert said == f"the token is in {place}"
    assert place.read_text() == "hvs.secret"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_a_token_that_cannot_be_given_back_is_no_failure_and_is_not_shown(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert log_out("dev", environ, project(tmp_path)) == "there is no Vault token to give back"
    hand_on("hvs.secret", environ)
    for given in (environ, {**environ, "VAULT_TOKEN": "hvs.secret"}):
        said = log_out("dev", given, project(tmp_path))
        assert said.startswith("Vault did not take its token back, which ends by itself: ")
        assert "hvs.secret" not in said
    assert (tmp_path / ".vault-token").exists()


def test_the_region_is_that_of_the_stacks_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["region", "--stack", "prod"]) == 0
    assert capsys.readouterr().out == "us-east-1\n"
    assert main(["region", "--stack", "nowhere"]) == 1
    assert "Pulumi.nowhere.yaml" in capsys.readouterr().err
