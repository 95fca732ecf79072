"""What the generated Python packages of the providers take and read, by Pulumi's own names."""

import importlib
import inspect
import json
import re
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

# The SDK has no public way to ask a class of a generated package for the names and types of its properties.
import pulumi._types as sdk_types

SCALARS: Mapping[object, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}


@dataclass(frozen=True)
class Shape:
    """What a property takes: a scalar's name, or array, map or object with what is inside."""

    kind: str
    element: "Shape | None" = None
    properties: Mapping[str, "Shape"] = field(default_factory=dict)

    def unknown(self, value: object, path: str = "") -> Iterator[str]:
        """Name the properties in a value that this shape does not have; None stands for what was left out."""
        if self.kind == "object" and isinstance(value, dict):
            for name, inner in value.items():
                here = f"{path}.{name}" if path else name
                if name in self.properties:
                    yield from self.properties[name].unknown(inner, here)
                elif inner is not None:
                    yield here
        elif self.element is not None and isinstance(value, list):
            for inner in value:
                yield from self.element.unknown(inner, path)

    def differences(self, other: "Shape", path: str = "") -> Iterator[str]:
        """Name what this shape has and another lacks, or types otherwise; the other may well have more."""
        if self.kind != other.kind:
            yield f"{path}: {self.kind}, but {other.kind} in the Python package"
        elif self.element is not None and other.element is not None:
            yield from self.element.differences(other.element, path)
        for name, shape in self.properties.items():
            here = f"{path}.{name}" if path else name
            if name in other.properties:
                yield from shape.differences(other.properties[name], here)
            else:
                yield f"{here}: not in the Python package"


def member(token: str) -> Any:
    """Find the Python class or function that a token stands for, where the generated packages put it."""
    package, module, name = token.split(":")
    if package == "pulumi":
        return importlib.import_module(f"pulumi_{name}").Provider
    folder = module.split("/")[0].lower()
    where = importlib.import_module(f"pulumi_{package}" + ("" if folder == "index" else f".{folder}"))
    python_name = name if name[0].isupper() else re.sub("([A-Z])", r"_\1", name).lower() + "_output"
    return getattr(where, python_name)


def token_of(found: Any) -> str:
    """The token that a Python class or function sends to the engine."""
    if inspect.isclass(found):
        return str(found.pulumi_type)  # type: ignore[attr-defined]  # set by the SDK's decorator
    sent = re.search(r"invoke_output\('([^']+)'", inspect.getsource(found))
    return sent[1] if sent else ""


def inputs(token: str) -> Shape:
    """The inputs that the Python package takes."""
    found = member(token)
    if inspect.isclass(found):
        return _object(_arguments(found))
    names = re.findall(r"__args__\['(\w+)'\] = (\w+)", inspect.getsource(found))
    hints = _hints(found)
    return Shape("object", properties={name: _shape(hints[argument]) for name, argument in names})


def required(token: str) -> set[str]:
    """The inputs that the Python package requires; a function of these packages requires none."""
    found = member(token)
    if not inspect.isclass(found):
        return set()
    arguments = _arguments(found)
    names = sdk_types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments.__init__).parameters  # type: ignore[misc]  # read, not called
    return {names[name] for name in names if parameters[name].default is inspect.Parameter.empty}


def outputs(token: str) -> set[str]:
    """The outputs that the Python package reads."""
    found = member(token)
    if inspect.isclass(found):
        return set(sdk_types.resource_types(found))
    (result,) = typing.get_args(_hints(found)["return"])
    return set(sdk_types.output_type_types(result))


def secrets(token: str) -> set[str]:
    """The outputs that the Python package marks as secret."""
    marked = re.search(r"additional_secret_outputs=(\[[^]]*\])", inspect.getsource(member(token)))
    return set(json.loads(marked[1])) if marked else set()


def _arguments(resource: type) -> type:
    """The class of a resource's arguments, which stands beside it."""
    return typing.cast(type, getattr(sys.modules[resource.__module__], f"{resource.__name__}Args"))


def _hints(function: Any) -> dict[str, Any]:
    # `T` is left over in the SDK's own definition of Input.
    return typing.get_type_hints(function, localns={"Output": pulumi.Output, "T": type(None)})


def _object(arguments: type) -> Shape:
    types = sdk_types.input_type_types(arguments)
    return Shape("object", properties={name: _shape(hint) for name, hint in types.items()})


def _shape(hint: Any) -> Shape:
    # An Input[X] is a union that has X first; so is one of a class and the dictionaries that may stand for it.
    while typing.get_origin(hint) is typing.Union:
        hint = typing.get_args(hint)[0]
    if isinstance(hint, type) and sdk_types.is_input_type(hint):
        return _object(hint)
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin is not None and issubclass(origin, Mapping):
        return Shape("map", _shape(inside[1]))
    if origin is not None and issubclass(origin, Sequence):
        return Shape("array", _shape(inside[0]))
    return Shape(SCALARS[hint])
