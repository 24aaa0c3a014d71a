"""The limits that the model puts on parameters and that clients do not check: AWS's answers.

botocore's clients check types, required members and minimums themselves; maximums, enumerations
and patterns are the service's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from localaws.core.service import Call, Handler, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions.integrations import models

# AWS does not name the values in the model's order.
ENUMERATIONS = {
    "ExecutionStatus": (
        "SUCCEEDED",
        "TIMED_OUT",
        "PENDING_REDRIVE",
        "ABORTED",
        "FAILED",
        "RUNNING",
    ),
}


class CheckedService(Service):
    """A service whose handlers get only what the model allows."""

    def operation(self, name: str, *parameters: str) -> Callable[[Handler], Handler]:
        shape = models.operation_model(self.name, name).input_shape
        register = super().operation(name, *parameters)

        def checking(handler: Handler) -> Handler:
            def checked(call: Call) -> Json | None:
                check(shape, call.params)
                return handler(call)

            return register(checked)

        return checking


def check(shape: Any, params: Json) -> None:
    """Raises ValidationException with everything that is out of its limits."""
    found = list(_problems(shape, params, ""))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
        raise AwsError("ValidationException", f"{count}: {'; '.join(found)}")


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    for must in _broken(shape, value):
        shown = _shown(shape, value)
        yield f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {must}"
    if shape.type_name == "structure":
        for name, item in value.items():
            yield from _problems(shape.members[name], item, f"{path}.{name}" if path else name)
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from _problems(shape.member, item, f"{path}.{number}.member")


def _broken(shape: Any, value: Any) -> Iterator[str]:
    limits, kind = shape.metadata, shape.type_name
    most = limits.get("max")
    if most is not None and kind in ("string", "list") and len(value) > most:
        yield f"have length less than or equal to {most}"
    if most is not None and kind in ("integer", "long", "float", "double") and value > most:
        yield f"have value less than or equal to {most}"
    if "enum" in limits and value not in limits["enum"]:
        accepted = ENUMERATIONS.get(shape.name, limits["enum"])
        yield f"satisfy enum value set: [{', '.join(accepted)}]"
    pattern = limits.get("pattern")
    if pattern is not None and not re.fullmatch(_python(pattern), value):
        yield f"satisfy regular expression pattern: {pattern}"


def _python(pattern: str) -> str:
    return str(pattern).replace(r"\p{ASCII}", r"[\x00-\x7f]")


def _shown(shape: Any, value: Any) -> Any:
    """A value as AWS prints it: a structure by its type's name and members."""
    if shape.type_name == "list":
        return f"[{', '.join(str(_shown(shape.member, item)) for item in value)}]"
    if shape.type_name == "structure":
        members = (f"{name}={_shown(shape.members[name], item)}" for name, item in value.items())
        return f"{shape.name}({', '.join(members)})"
    return value
