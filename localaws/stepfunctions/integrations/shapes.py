"""Between Step Functions' JSON (PascalCase keys) and botocore's parameters and responses."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore.validate import ParamValidator

from localaws.shapes import Json
from localaws.stepfunctions import timestamps
from localaws.stepfunctions.payload import MAX_BYTES, dumps

# AWS's spelling of the headers that Step Functions passes on; botocore's is all lower-case.
HEADERS = {
    name.lower(): name
    for name in (
        "Content-Length",
        "Content-Type",
        "Date",
        "X-Amz-Executed-Version",
        "X-Amzn-Trace-Id",
        "x-amzn-RequestId",
    )
}
UNSUPPORTED = 'The field "{name}" is not supported by Step Functions'
REQUIRED = "The field '{name}' is required but was missing"
INVALID = "The value of the field '{name}' has an invalid format"


def member_name(shape: Any, key: str) -> str | None:
    """The model's spelling of a key: the first letter's case does not count."""
    if key in shape.members:
        return key
    for swapped in (key[:1].lower() + key[1:], key[:1].upper() + key[1:]):
        if swapped in shape.members:
            return str(swapped)
    wanted = key.lower()
    return next((str(name) for name in shape.members if name.lower() == wanted), None)


def pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


@lru_cache(maxsize=4096)
def sdk_name(name: str) -> str:
    """A member as the Java SDK v2's getter has it, which AWS SDK integrations show: of the capital
    letters it begins with only the first one stays, and one that begins a word. `ARN` is `Arn`,
    `SSEKMSKeyId` is `SsekmsKeyId`, `ETag` and `ChecksumCRC32` stay."""
    if name == "NULL":  # of DynamoDB: `null` is a word of Java
        return "Nul"
    first = re.match(r"[A-Za-z](?:[A-Z](?![a-z]))*", name)
    lead = first[0] if first else ""
    return (lead[:1].upper() + lead[1:].lower()) + name[len(lead) :]


def problems(shape: Any, template: Any) -> Iterator[str]:
    """What is wrong with a Parameters template before anything is evaluated: unknown and missing
    fields. What a path or an intrinsic will give is not judged."""
    if shape is None or not isinstance(template, dict):
        return
    if shape.type_name == "structure":
        given = set()
        for key, value in template.items():
            dynamic = key.endswith(".$") or (isinstance(value, str) and value.startswith("{%"))
            name = member_name(shape, key.removesuffix(".$"))
            if name is None:
                yield UNSUPPORTED.format(name=key.removesuffix(".$"))
                continue
            given.add(name)
            if not dynamic:
                yield from _inner_problems(shape.members[name], value)
        for name in shape.required_members:
            if name not in given and not _generated(shape, name):
                yield REQUIRED.format(name=pascal(name))
    elif shape.type_name == "map":
        for value in template.values():
            yield from _inner_problems(shape.value, value)


def _inner_problems(shape: Any, value: Any) -> Iterator[str]:
    if shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from _inner_problems(shape.member, item)
    else:
        yield from problems(shape, value)


def _generated(shape: Any, name: str) -> bool:
    return bool(shape.members[name].metadata.get("idempotencyToken"))


def to_request(shape: Any, arguments: Any) -> tuple[Json, list[str]]:
    """(parameters as the model spells them, what is wrong with them)."""
    if not isinstance(arguments, dict):
        return {}, [] if shape is None else [INVALID.format(name="Parameters")]
    if shape is None:
        return {}, [UNSUPPORTED.format(name=name) for name in arguments]
    found = list(problems(shape, arguments))
    params: Json = _request_value(shape, arguments)
    if not found and not null_members(shape, arguments):
        report = ParamValidator().validate(params, shape)
        found = [line.strip() for line in report.generate_report().splitlines() if line.strip()]
    return params, found


def null_members(shape: Any, arguments: Any) -> list[str]:
    """The required members that are given as null; it is the service that refuses them."""
    if shape is None or not isinstance(arguments, dict):
        return []
    named = {member_name(shape, key): value for key, value in arguments.items()}
    return [name for name in shape.required_members if name in named and named[name] is None]


def _request_value(shape: Any, value: Any) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        named = ((member_name(shape, key), item) for key, item in value.items())
        return {
            name: _request_value(shape.members[name], item)
            for name, item in named
            if name is not None and item is not None
        }
    if kind == "list" and isinstance(value, list):
        return [_request_value(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _request_value(shape.value, item) for key, item in value.items()}
    if kind == "blob" and shape.serialization.get("streaming"):
        return dumps(value).encode()
    if kind == "blob":
        return value.encode() if isinstance(value, str) else dumps(value).encode()
    if kind == "string" and isinstance(value, dict | list):
        return dumps(value)
    if kind == "timestamp" and isinstance(value, str):
        return timestamps.parse(value) or value
    if kind in ("float", "double") and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def to_output(shape: Any, value: Any, *, milliseconds: bool) -> Any:
    """A response as JSON: PascalCase members in alphabetical order, blobs as text, times as
    epoch milliseconds (optimised `.sync`) or, with the SDK's names, ISO 8601 (AWS SDK
    integrations)."""
    kind = None if shape is None else shape.type_name
    if isinstance(value, datetime):
        time = value if value.tzinfo else value.replace(tzinfo=UTC)
        return timestamps.epoch_milliseconds(time) if milliseconds else timestamps.iso(time)
    if kind == "structure" and isinstance(value, dict):
        named = pascal if milliseconds else sdk_name
        members = {
            named(name): to_output(shape.members[name], item, milliseconds=milliseconds)
            for name, item in value.items()
            if name in shape.members
        }
        return dict(sorted(members.items()))
    if kind == "list" and isinstance(value, list):
        return [to_output(shape.member, item, milliseconds=milliseconds) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {k: to_output(shape.value, v, milliseconds=milliseconds) for k, v in value.items()}
    if kind == "blob" or isinstance(value, bytes) or hasattr(value, "read"):
        return _text(value)
    return value


def _text(value: Any) -> str:
    """A blob as text; never more than what exceeds the payload limit anyway."""
    data = value.read(MAX_BYTES + 1) if hasattr(value, "read") else value
    if isinstance(data, str):
        return data
    try:
        return bytes(data).decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def sdk_metadata(response: Json) -> Json:
    """The two members that an optimised integration adds to a response."""
    metadata = response.get("ResponseMetadata", {})
    given = metadata.get("HTTPHeaders", {})
    headers = {HEADERS.get(name.lower(), name): str(value) for name, value in given.items()}
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": metadata.get("HTTPStatusCode", 200),
        },
        "SdkResponseMetadata": {"RequestId": metadata.get("RequestId", "")},
    }


def parse_json(text: str) -> Any:
    """The JSON value, or the text itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text
