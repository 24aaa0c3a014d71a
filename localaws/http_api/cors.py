"""Cross-origin requests: answered by the API itself, not by the function.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from __future__ import annotations

import fnmatch

from werkzeug.wrappers import Request, Response

from localaws.shapes import Json

HEADERS = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Credentials",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
)


def allowed_origin(cors: Json, origin: str | None) -> str | None:
    """What Access-Control-Allow-Origin says to this origin; None for nothing."""
    if not origin:
        return None
    for allowed in cors.get("AllowOrigins", []):
        if allowed == "*":
            return "*"
        if allowed.endswith("://*") and fnmatch.fnmatch(origin.lower(), allowed.lower()):
            return origin
        if allowed.lower() == origin.lower():
            return origin
    return None


def is_preflight(request: Request) -> bool:
    """A browser asking whether it may send."""
    return (
        request.method == "OPTIONS"
        and "Origin" in request.headers
        and "Access-Control-Request-Method" in request.headers
    )


def preflight(cors: Json, request: Request) -> Response:
    """204, with the permissions if the origin has any."""
    response = Response(status=204)
    origin = allowed_origin(cors, request.headers.get("Origin"))
    if origin is None:
        return response
    add_common(response, cors, origin)
    for member, header in (
        ("AllowMethods", "Access-Control-Allow-Methods"),
        ("AllowHeaders", "Access-Control-Allow-Headers"),
    ):
        if cors.get(member):
            response.headers[header] = ",".join(cors[member])
    if "MaxAge" in cors:
        response.headers["Access-Control-Max-Age"] = str(cors["MaxAge"])
    return response


def apply(cors: Json, request: Request, response: Response) -> None:
    """Replaces whatever CORS headers the function sent by the API's own."""
    for header in HEADERS:
        response.headers.pop(header, None)
    origin = allowed_origin(cors, request.headers.get("Origin"))
    if origin is not None:
        add_common(response, cors, origin)


def add_common(response: Response, cors: Json, origin: str) -> None:
    """The headers of preflight and real answers alike."""
    response.headers["Access-Control-Allow-Origin"] = origin
    if cors.get("AllowCredentials"):
        response.headers["Access-Control-Allow-Credentials"] = "true"
    if cors.get("ExposeHeaders"):
        response.headers["Access-Control-Expose-Headers"] = ",".join(cors["ExposeHeaders"])
