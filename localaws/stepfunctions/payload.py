"""What goes into and out of a state: paths, payload templates, ResultPath and the size limit.

Order: InputPath, Parameters, the work, ResultSelector, ResultPath, OutputPath.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-input-output-filtering.html
"""

from __future__ import annotations

import json
from typing import Any

from localaws.stepfunctions import intrinsics, paths
from localaws.stepfunctions.errors import (
    DATA_LIMIT,
    RESULT_PATH_MATCH_FAILURE,
    StateError,
    runtime_error,
)

MAX_BYTES = 256 * 1024
NOT_IN_INPUT = (
    "The JSONPath '{path}' specified for the field '{field}' could not be found in the"
    " input '{found}'"
)
TOO_LARGE = (
    "The state/task '{name}' returned a result with a size exceeding the maximum number of bytes"
    " service limit."
)


def dumps(value: Any) -> str:
    """Compact JSON as it stands in the history."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def check_size(text: str, name: str, *, from_task: bool = False) -> str:
    """The text itself, or States.DataLimitExceeded when it has more than 256 KiB as UTF-8."""
    if len(text) * 4 > MAX_BYTES and len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise StateError(DATA_LIMIT, TOO_LARGE.format(name=name), from_task=from_task)
    return text


def apply_path(path: str | None, roots: paths.Roots) -> Any:
    """What InputPath or OutputPath selects; null selects an empty object."""
    if path is None:
        return {}
    if path == "$":
        return roots["$"]
    if intrinsics.is_call(path):
        return intrinsics.evaluate(intrinsics.parse(path), roots)
    try:
        return paths.find(path, roots)
    except paths.PathNotFoundError as error:
        raise runtime_error(f"Invalid path '{path}' : {error.reason}") from error


def fill(template: Any, roots: paths.Roots) -> Any:
    """A payload template with every `key.$` replaced by what its path or intrinsic gives.

    Raises StateError: States.Runtime for a path that leads nowhere, States.IntrinsicFailure.
    """
    if isinstance(template, list):
        return [fill(item, roots) for item in template]
    if not isinstance(template, dict):
        return template
    filled = {}
    for key, value in template.items():
        if key.endswith(".$"):
            filled[key[:-2]] = _dynamic(key, value, roots)
        else:
            filled[key] = fill(value, roots)
    return filled


def _dynamic(key: str, text: str, roots: paths.Roots) -> Any:
    if intrinsics.is_call(text):
        return intrinsics.evaluate(intrinsics.parse(text), roots)
    path = paths.parse(text)
    try:
        return paths.evaluate(path, roots)
    except paths.PathNotFoundError as error:
        found = dumps(roots.get(path.root))
        raise runtime_error(NOT_IN_INPUT.format(path=text, field=key, found=found)) from error


def put_result(path: str | None, raw_input: Any, result: Any) -> Any:
    """The raw input with the result at ResultPath; null keeps the input, `$` is the result."""
    if path is None:
        return raw_input
    if path == "$":
        return result
    try:
        return paths.put(paths.parse_reference(path), raw_input, result)
    except paths.PathNotFoundError as error:
        raise StateError(RESULT_PATH_MATCH_FAILURE, error.reason) from error
