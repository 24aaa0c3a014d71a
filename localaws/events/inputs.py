"""What a target is given: the event, a part of it, a fixed text, or a filled-in template."""

from __future__ import annotations

import json
import re
from typing import Any

from localaws.errors import AwsError
from localaws.shapes import Json

_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\['([^']+)'\]|\[(\d+)\]|\[\*\]|\.\*")
_VARIABLE = re.compile(r"<([A-Za-z0-9_.-]+)>")
MOST_VARIABLES = 100


def check_path(path: str) -> None:
    """Raises ValidationException for what is no path of this kind (`$`, `$.a.b`, `$.a[0]`)."""
    rest = path[1:] if path.startswith("$") else "?"
    while rest:
        match = _STEP.match(rest)
        if match is None or "*" in match[0]:
            raise AwsError("ValidationException", f"Invalid InputPath {path!r}; $.detail.x is one.")
        rest = rest[match.end() :]


def at_path(event: Any, path: str) -> Any | None:
    """The value at a path; None where there is nothing."""
    value = event
    rest = path[1:]
    while rest:
        match = _STEP.match(rest)
        if match is None:
            return None
        name = match[1] or match[2]
        try:
            value = value[name] if name is not None else value[int(match[3])]
        except (KeyError, IndexError, TypeError):
            return None
        rest = rest[match.end() :]
    return value


def target_input(target: Json, event: Json, rule: Json, ingested: str) -> str:
    """The text a target receives for an event."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(at_path(event, target["InputPath"]))
    if "InputTransformer" in target:
        transformer = target["InputTransformer"]
        values = {
            name: at_path(event, path)
            for name, path in transformer.get("InputPathsMap", {}).items()
        }
        without_detail = {name: value for name, value in event.items() if name != "detail"}
        values |= {
            "aws.events.rule-arn": rule["Arn"],
            "aws.events.rule-name": rule["Name"],
            "aws.events.event.ingestion-time": ingested,
            "aws.events.event": without_detail,
            "aws.events.event.json": event,
        }
        return fill(transformer["InputTemplate"], values)
    return json.dumps(event)


def fill(template: str, values: Json) -> str:
    """The template with `<name>` replaced.

    Outside quotes a value is written as JSON (a text gets its quotes), within quotes as it is,
    not escaped: that is what EventBridge does. A path that leads nowhere gives an empty text.
    """
    result = []
    end = 0
    quoted = False
    for match in _VARIABLE.finditer(template):
        before = template[end : match.start()]
        quoted = _flips(before) != quoted
        result.append(before)
        end = match.end()
        if match[1] not in values:
            result.append(match[0])
            continue
        value = values[match[1]]
        if value is None:
            result.append("" if quoted else '""')
        elif isinstance(value, str):
            result.append(value if quoted else json.dumps(value))
        else:
            text = json.dumps(value)
            result.append(text.replace('"', '\\"') if quoted else text)
    result.append(template[end:])
    return "".join(result)


def _flips(text: str) -> bool:
    """Whether a piece of template has an odd number of quotes."""
    return len(re.findall(r'(?<!\\)"', text)) % 2 == 1


def check_transformer(transformer: Json) -> None:
    """Raises ValidationException for a template that cannot work."""
    paths = transformer.get("InputPathsMap", {})
    if len(paths) > MOST_VARIABLES:
        raise AwsError("ValidationException", f"InputPathsMap has over {MOST_VARIABLES} names.")
    for name, path in paths.items():
        if name.lower().startswith("aws"):
            raise AwsError("ValidationException", f"InputPathsMap: {name} may not begin with AWS.")
        check_path(path)
    used = set(_VARIABLE.findall(transformer["InputTemplate"]))
    unknown = sorted(name for name in used - set(paths) if not name.startswith("aws.events."))
    if unknown:
        raise AwsError(
            "ValidationException",
            f"Invalid InputTemplate: <{unknown[0]}> is not in InputPathsMap"
            f" ({', '.join(paths) or 'which is empty'}).",
        )
