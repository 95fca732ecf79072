"""Holds what a program sends to its providers against the provider plugins and against the Python packages.

A name that only one of the two knows is lost on the way or refused, and that shows only when a stack is updated. Tests
that record a program's resources with mocks, which take every name, ask `unknown_properties` here.
"""

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# It has no types, and stubs would be pinned for this file alone.
import grpc  # type: ignore[import-untyped]
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.tools import sdk_shapes
from tests.tools.sdk_shapes import Shape
from tools.go_tools import provide
from tools.toolchain import PROVIDERS

PACKAGES = tuple(tool.name.removeprefix("pulumi-resource-") for tool in PROVIDERS)


@dataclass(frozen=True)
class Plugin:
    """What a provider plugin says of itself: its Pulumi schema."""

    schema: Mapping[str, Any]

    def members(self) -> dict[str, Mapping[str, Any]]:
        """All that the plugin maps by its token: the provider's own configuration, resources and functions."""
        functions = {
            token: {
                "inputProperties": spec["inputs"].get("properties", {}),
                "properties": spec["outputs"]["properties"],
            }
            for token, spec in self.schema.get("functions", {}).items()
        }
        provider = {f"pulumi:providers:{self.schema['name']}": self.schema["provider"]}
        return {**provider, **self.schema["resources"], **functions}

    def inputs(self, token: str) -> Shape:
        """The inputs that the plugin takes."""
        return self._object(self.members()[token].get("inputProperties", {}))

    def _object(self, properties: Mapping[str, Any]) -> Shape:
        return Shape("object", properties={name: self._shape(spec) for name, spec in properties.items()})

    def _shape(self, spec: Mapping[str, Any]) -> Shape:
        if "$ref" in spec:
            named = self.schema["types"][spec["$ref"].removeprefix("#/types/")]
            return self._object(named["properties"])
        if spec["type"] == "array":
            return Shape("array", self._shape(spec["items"]))
        if spec["type"] == "object":
            return Shape("map", self._shape(spec["additionalProperties"]))
        return Shape(spec["type"])


@functools.cache
def plugin(package: str) -> Plugin:
    """Ask a provider plugin what it maps, having built it from `tools/go` if need be; skips the test without Go."""
    if shutil.which("go") is None:
        pytest.skip("needs Go to build the provider plugins")
    tool = PROVIDERS[PACKAGES.index(package)]
    binary = provide([tool], environ=os.environ, say=print)[tool] / tool.name
    with subprocess.Popen([binary], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                schema = stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=30).schema
        finally:
            process.terminate()
    return Plugin(json.loads(schema))


def unknown_properties(token: str, inputs: Mapping[str, Any] | Iterable[str]) -> list[str]:
    """Name what a program sends and the provider plugin or the Python package does not know.

    Args:
        token: The type of a resource, a provider or a function, e.g. `vault:index/policy:Policy`.
        inputs: What was sent, by the names that Pulumi's mocks record. With the values, nested names are looked at too.

    Returns:
        One line for each fault. Components, and resources of packages that have no plugin here, have none.
    """
    provider = "pulumi:providers:"
    package = token.removeprefix(provider) if token.startswith(provider) else token.split(":", maxsplit=1)[0]
    if package not in PACKAGES:
        return []
    if token not in plugin(package).members():
        return [f"{token}: the provider plugin does not map it"]
    sent = dict(inputs) if isinstance(inputs, Mapping) else dict.fromkeys(inputs, "")
    knowers = {
        "the provider plugin": plugin(package).inputs(token),
        f"pulumi_{package}": sdk_shapes.inputs(token),
    }
    return [
        f"{token}: {knower} has no input {path}" for knower, shape in knowers.items() for path in shape.unknown(sent)
    ]
