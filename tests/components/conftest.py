"""Pulumi's mocks: what the components register, recorded as the engine would receive it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks

_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


_ANSWERS: dict[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": "123456789012",
        "arn": "arn:aws:iam::123456789012:user/pulumi-administrator",
    },
    "vault:index/getAuthBackend:getAuthBackend": {"accessor": "auth_jwt_1234"},
    "vault:generic/getSecret:getSecret": {"data": {}},
}


@dataclass(frozen=True)
class Registered:
    """One resource as it was registered."""

    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    secrets: set[str]
    dependencies: set[str]
    secret_outputs: set[str]
    delete_before_replace: bool
    replace_on_changes: set[str]
    protect: bool
    former_urns: set[str]


@dataclass
class Recorder:
    """All resources of one test, by name within their type."""

    resources: list[Registered] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def of(self, type_: str) -> dict[str, Registered]:
        return {resource.name: resource for resource in self.resources if resource.type == type_}

    def run(self, program: Callable[[], Any]) -> Any:
        """Runs a program to its end and gives the value of the output that it returns."""
        values: list[Any] = []

        def body() -> Any:
            return pulumi.Output.from_input(program()).apply(values.append)

        pulumi.runtime.test(body)()  # type: ignore[no-untyped-call] # pulumi's mocks have no types
        return values[0]


class _Provider(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        state = dict(args.inputs)
        service = args.typ.removeprefix("aws:").partition("/")[0]
        if service in {"iam", "sns", "cloudwatch"}:
            state.setdefault("arn", f"arn:aws:{service}::123456789012:{args.name}")
        if args.typ == "aws:iam/accessKey:AccessKey":
            state["secret"] = f"secret of {args.name}"
        return f"{args.name}-id", state

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        return _ANSWERS.get(args.token, {}), []


class _Monitor(MockMonitor):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__(_Provider())
        self.recorder = recorder

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        self.recorder.calls.append((request.tok, MessageToDict(request.args)))
        return super().Invoke(request)  # type: ignore[no-untyped-call] # pulumi's mocks have no types

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        inputs, secrets = {}, set()
        for key, value in MessageToDict(request.object).items():
            if isinstance(value, dict) and value.get(_SIGNATURE) == _SECRET:
                secrets.add(key)
                inputs[key] = value["value"]
            else:
                inputs[key] = value
        self.recorder.resources.append(
            Registered(
                request.type,
                request.name,
                _name(request.parent),
                inputs,
                secrets,
                {_name(urn) for urn in request.dependencies},
                set(request.additionalSecretOutputs),
                request.deleteBeforeReplace,
                set(request.replaceOnChanges),
                request.protect,
                {alias.urn for alias in request.aliases},
            )
        )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call] # likewise


@pytest.fixture
def recorder() -> Recorder:
    return new_recorder("test")


def new_recorder(stack: str) -> Recorder:
    """Sets Pulumi's mocks for a stack; what they are asked for is in the recorder."""
    recorder = Recorder()
    set_mocks(_Provider(), project="vault-aws", stack=stack, preview=True, monitor=_Monitor(recorder))
    return recorder


def _name(urn: str) -> str:
    # urn:pulumi:STACK::PROJECT::TYPE::NAME, and a name may hold colons of its own.
    return urn.split("::", 3)[-1]
