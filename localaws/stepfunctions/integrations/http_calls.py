"""An HTTP request of a Task, sent to this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from localaws.stepfunctions.errors import NOT_EMULATED, StateError
from localaws.stepfunctions.payload import MAX_BYTES

SECONDS = 60.0
HERE = ("127.0.0.1", "localhost", "::1")
EXECUTE_API = re.compile(r"(?P<id>[a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com")


@dataclass
class Request:
    """What is to be sent."""

    url: str
    method: str
    headers: dict[str, str] = field(default_factory=dict)
    query: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None


def here(url: str, base: str) -> str:
    """The URL, with an API's address as AWS has it turned into ours. Raises NotEmulated for a
    host that is not this machine."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    api = EXECUTE_API.fullmatch(parts.hostname or "")
    if api is not None:
        query = f"?{parts.query}" if parts.query else ""
        return f"{base}/_aws/execute-api/{api['id']}{parts.path}{query}"
    if parts.scheme not in ("http", "https") or parts.hostname not in HERE:
        raise StateError(
            NOT_EMULATED,
            f"localaws sends HTTP requests to this machine only ({', '.join(HERE)}), not to {url}.",
            from_task=True,
        )
    return url


def sent(request: Request, error: str) -> tuple[int, str, dict[str, list[str]], bytes]:
    """(status, its text, headers, body). Redirects are not followed, as on AWS."""
    separator = "&" if "?" in request.url else "?"
    query = urlencode(request.query, quote_via=quote)
    url = f"{request.url}{separator}{query}" if query else request.url
    try:
        with urllib3.PoolManager(retries=False, timeout=SECONDS) as pool:
            answer = pool.request(
                request.method,
                url,
                headers=request.headers,
                body=request.body,
                redirect=False,
                preload_content=False,
            )
            data = answer.read(MAX_BYTES + 1)
            answer.release_conn()
    except (urllib3.exceptions.HTTPError, OSError) as problem:
        raise StateError(error, str(problem), from_task=True) from problem
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers.items():
        headers.setdefault(name, []).append(value)
    return answer.status, answer.reason or "", headers, data
