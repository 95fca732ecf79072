"""The command-line tools that the project needs: the user's own, or else built from pinned Go modules.

Who has the Pulumi CLI has everything: it installs its provider plugins itself. Where there is none, the CLI, its
language host for Python and the two provider plugins are built from `tools/go`, and where there is no Vault, its AWS
secrets engine. `python -m tools.toolchain` does so and prints the folders for PATH.
"""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.go_tools import Tool, ToolchainError, cache_folder, provide

__all__ = ["CLI", "ENGINE", "PROVIDERS", "Toolchain", "ToolchainError", "find"]

SOURCES: Final = Path(__file__).resolve().parent / "go"
SDK: Final = "github.com/pulumi/pulumi/sdk/v3"
PULUMI: Final = "the Pulumi CLI (https://www.pulumi.com/docs/install/)"

CLI: Final = Tool(
    name="pulumi",
    version="3.259.0",
    instead=PULUMI,
    module=SOURCES / "cli",
    # The engine takes a language host without a warning only from its own folder.
    binaries=(
        ("pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"),
        ("pulumi-language-python", "./language-python"),
    ),
    stamps=(f"{SDK}/go/common/version.Version",),
    scripts=((SDK, "python/cmd/pulumi-language-python-exec"),),
)
# The versions are those of the Python packages that the plugins answer to; go.mod says what they are built from.
PROVIDERS: Final = tuple(
    Tool(
        name=f"pulumi-resource-{package}",
        version=version,
        instead=PULUMI,
        module=SOURCES / f"provider-{package}",
        binaries=((f"pulumi-resource-{package}", "."),),
        stamps=("main.version",),
        shared=(SOURCES / "bridge",),
    )
    for package, version in (("vault", "7.10.0"), ("aws", "7.51.1"))
)
ENGINE: Final = Tool(
    name="vault-aws-engine",
    version="1.14.8",
    instead="HashiCorp Vault (https://developer.hashicorp.com/vault/install)",
    module=SOURCES / "vault-aws-engine",
    binaries=(("aws", "github.com/hashicorp/vault/builtin/logical/aws/cmd/aws"),),
)


ACTIONLINT: Final = Tool(
    name="actionlint",
    version="1.7.12",
    instead="actionlint (https://github.com/rhysd/actionlint)",
    module=SOURCES / "actionlint",
    binaries=(("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),),
)
"""For the tests: it checks the workflows."""

GOVULNCHECK: Final = Tool(
    name="govulncheck",
    version="1.9.0",
    instead="govulncheck (https://go.dev/doc/security/vuln/)",
    module=SOURCES / "govulncheck",
    binaries=(("govulncheck", "golang.org/x/vuln/cmd/govulncheck"),),
)
"""For `make audit-deps`: it knows which Go modules have known vulnerabilities."""

CYCLONEDX_GOMOD: Final = Tool(
    name="cyclonedx-gomod",
    version="1.10.0",
    instead="cyclonedx-gomod (https://github.com/CycloneDX/cyclonedx-gomod)",
    module=SOURCES / "cyclonedx-gomod",
    binaries=(("cyclonedx-gomod", "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod"),),
)
"""For `make sbom`: it lists the Go modules that a binary is made of."""


@dataclass(frozen=True)
class Toolchain:
    """Where the tools are.

    Attributes:
        bin_dirs: Folders to put in front of PATH; empty where the user's own `pulumi` is used.
        engine_plugin: Vault's AWS secrets engine as a plugin binary, alone in its folder and named `aws`, as a server's
            plugin directory wants it; None where it was not asked for. It is not for PATH: AWS's own CLI has that name.
        built: Whether `pulumi` and its plugins are this project's builds rather than the user's own.
    """

    bin_dirs: tuple[Path, ...]
    engine_plugin: Path | None
    built: bool

    def env(self, base: Mapping[str, str]) -> dict[str, str]:
        """Give the environment that finds these tools first.

        Args:
            base: The environment to start from; it is not changed.

        Returns:
            A copy of `base` with the tools' folders in front of its PATH.
        """
        if not self.bin_dirs:
            return dict(base)
        path = [*map(str, self.bin_dirs), *filter(None, [base.get("PATH")])]
        return {**base, "PATH": os.pathsep.join(path)}


def find(
    *,
    need_engine: bool,
    environ: Mapping[str, str] = os.environ,
    say: Callable[[str], None] = print,
) -> Toolchain:
    """Find the tools, building those that are missing and not in the cache yet.

    A `pulumi` on PATH is used as it is, with its own plugins; nothing of the CLI is built then.

    Args:
        need_engine: Whether Vault's AWS secrets engine is needed as a plugin: where no `vault`, which has it built in,
            is on PATH.
        environ: The environment. `VAULT_AWS_TOOLCHAIN=build` builds even where there is a `pulumi`; `VAULT_AWS_CACHE`
            names another cache folder. Go's own settings are respected.
        say: Takes lines of progress: what was built, and how long it took. A run that builds nothing says nothing.

    Returns:
        Where the tools are.

    Raises:
        ToolchainError: A tool is missing and there is no Go to build it with, or its build failed.
    """
    choice = environ.get("VAULT_AWS_TOOLCHAIN", "")
    if choice not in {"", "build"}:
        raise ToolchainError(f"VAULT_AWS_TOOLCHAIN is {choice!r}: set it to 'build', or leave it out")
    own = choice != "build" and has_own_pulumi(environ)
    cli = () if own else (CLI, *PROVIDERS)
    folders = provide((*cli, ENGINE) if need_engine else cli, environ=environ, say=say)
    return Toolchain(
        bin_dirs=tuple(folders[tool] for tool in cli),
        engine_plugin=folders[ENGINE] / "aws" if need_engine else None,
        built=not own,
    )


def has_own_pulumi(environ: Mapping[str, str]) -> bool:
    """Say whether PATH has a `pulumi` that is not one of our builds, which a shell set up earlier may still name."""
    found = shutil.which("pulumi", path=environ.get("PATH", ""))
    return found is not None and not Path(found).resolve().is_relative_to(cache_folder(environ).resolve())


def main() -> int:
    """Find or build everything and print the folders for PATH."""
    try:
        toolchain = find(need_engine=shutil.which("vault") is None, say=lambda line: print(line, file=sys.stderr))
    except ToolchainError as error:
        print(f"toolchain: {error}", file=sys.stderr)
        return 1
    print(os.pathsep.join(map(str, toolchain.bin_dirs)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
