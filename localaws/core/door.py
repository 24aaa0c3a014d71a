"""Who may knock: requests that mean this machine, and that no web page has made a browser send.

https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site; a browser sends these
headers and Origin itself, and no page can change or leave them out.
"""

from __future__ import annotations

import re

from werkzeug.wrappers import Request, Response

LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


def strange_host(request: Request) -> Response | None:
    """A 403 for a name that somebody else has pointed here (DNS rebinding)."""
    host = request.headers.get("Host", "")
    name = re.sub(r":\d+$", "", host).lower()
    if name not in LOOPBACK and not name.endswith(".localhost"):
        return _refused(f"Host {host!r} is not this machine.")
    return None


def page(request: Request) -> Response | None:
    """A 403 for what a web page has made a browser send: it must not be read, let alone done.

    Not with an Origin (`null` of a sandboxed frame or a file included), nor one that a page's
    image, script, form or link has caused. Pages that buckets host have our own origin, so that
    one is refused like others. A person may open an address, which can be a link in a mail too:
    none that is an operation's (`?Action=CreateStack`).
    """
    if "Origin" in request.headers:
        return _refused(f"Origin {request.headers['Origin']!r} may not use this API.")
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site != "none":
        return _refused(f"A page ({site}) may not use this API.")
    reads = request.method in ("GET", "HEAD") and "Action" not in request.args
    if "Sec-Fetch-Mode" in request.headers and not reads:
        return _refused("A browser may look here, and change nothing.")
    return None


def _refused(reason: str) -> Response:
    # Its body is not read; the server closes the connection, so nothing takes it for a request.
    return Response(reason + "\n", 403)
