"""One prediction by the deployed API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from configuration.errors import RunError

TIMEOUT_SECONDS = 30


def predict(api_url: str, line: str) -> dict[str, Any]:
    """The API's answer for one line of 18 numbers; RunError with its text when it refuses."""
    request = urllib.request.Request(
        f"{api_url}/predict",
        data=line.encode(),
        headers={"Content-Type": "text/csv"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        raise RunError(f"{api_url}/predict: {error.code} {error.read().decode()}") from error
    except OSError as error:
        raise RunError(f"{api_url}/predict does not answer: {error}") from error
    return answer
