"""Who may ask: this page, from this machine; and what the page may load."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from console.web import problem

UPLOAD_PATH = "/api/upload"
UPLOAD_TYPE = "application/octet-stream"
LOOPBACK_NAMES = {"127.0.0.1", "localhost", "[::1]"}


class Guard:
    """Only this page, from this machine: Host and Origin are checked, nothing foreign is loaded.

    A name that resolves to 127.0.0.1 (DNS rebinding) fails on Host, another site's form or
    fetch on Origin and Sec-Fetch-Site. What a form can send (text, multipart) is never taken:
    POST is JSON, PUT one file's bytes.
    """

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-cache",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self.refusal(Request(scope))

        async def send_guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in self.headers.items()
                        if name.encode() not in given
                    ),
                ]
            await send(message)

        if refusal is not None:
            await problem(403, "Refused", refusal)(scope, receive, send_guarded)
            return
        await self.app(scope, receive, send_guarded)

    @staticmethod
    def refusal(request: Request) -> str | None:
        host = request.headers.get("host", "")
        name = re.sub(r":\d+$", "", host)
        if name not in LOOPBACK_NAMES:
            return f"Host {host!r}; this console answers to {', '.join(sorted(LOOPBACK_NAMES))}."
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return f"Origin {origin!r} is not this console."
        site = request.headers.get("sec-fetch-site", "same-origin")
        navigating = request.headers.get("sec-fetch-mode") == "navigate"
        if request.url.path.startswith("/api/") and site not in ("same-origin", "none"):
            return "Another site asks."
        kind = request.headers.get("content-type", "")
        if request.method == "POST" and (not kind.startswith("application/json") or navigating):
            return "Only JSON is taken."
        if request.method == "PUT" and not (
            request.url.path == UPLOAD_PATH and origin is not None and kind == UPLOAD_TYPE
        ):
            return f"Only {UPLOAD_PATH} takes files, from this page and as {UPLOAD_TYPE}."
        if request.method not in ("GET", "HEAD", "POST", "PUT"):
            return f"{request.method} is not a method here."
        return None


def policy(page: str) -> str:
    """The content security policy: everything from here, and the page's import map by hash."""
    found = re.search(r'<script type="importmap">(.*?)</script>', page, re.S)
    digest = hashlib.sha256(found[1].encode()).digest() if found else b""
    import_map = base64.b64encode(digest).decode()
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{import_map}'; style-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; worker-src 'self'; font-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
