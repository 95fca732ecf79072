"""What the engine tells a pack of the stack, which pulumi_policy 1.21 does not pass on.

The engine sends the stack's name and configuration by the call `ConfigureStack` before it asks for anything else
(in older engines they stood in the environment). The package takes the stack's tags from it and drops the rest.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi_policy.policy

Told = Callable[[str, Mapping[str, str]], None]
"""Takes the stack's name and its configuration by full key."""


def listen(told: Told) -> None:
    """Has the pack that is made next say what stack it is run on, before any of its policies runs."""

    class Servicer(pulumi_policy.policy._PolicyAnalyzerServicer):
        def ConfigureStack(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802 - the protocol's names
            told(request.stack, dict(request.config))
            return super().ConfigureStack(request, context)

    pulumi_policy.policy._PolicyAnalyzerServicer = Servicer  # type: ignore[misc] # the package has no other way
