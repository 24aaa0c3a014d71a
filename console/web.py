"""Requests and answers: JSON in, JSON out, and errors that carry AWS's code and message."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Json = dict[str, Any]

MAX_BODY_BYTES = 1024 * 1024


class Refused(Exception):
    """Not a request that this page makes: (status, what is wrong)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def given(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if not value:
        raise Refused(400, f"{name} is missing.")
    return value


def number(request: Request, name: str) -> int:
    value = given(request, name)
    if not value.isdigit():
        raise Refused(400, f"{name} is {value!r}; it is a number.")
    return int(value)


def reading(read: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        return await answer(lambda: read(request))

    return respond


def posted(
    act: Callable[[Json], Any], members: dict[str, type]
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that takes a JSON object with at least these members, each of its type."""

    async def respond(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return problem(413, "Refused", "More than 1 MB.")
        try:
            wanted = json.loads(body)
        except ValueError:
            return problem(400, "Refused", "The body is not JSON.")
        if not isinstance(wanted, dict):
            return problem(400, "Refused", "The body is no JSON object.")
        for name, kind in members.items():
            if not isinstance(wanted.get(name), kind):
                value = f"is {wanted[name]!r}" if name in wanted else "is missing"
                return problem(400, "Refused", f"{name} {value}; it is a {kind.__name__}.")
        return await answer(lambda: act(wanted))

    return respond


async def answer(make: Callable[[], Any]) -> Response:
    """The response that is made, or what is made as JSON. What AWS refuses is told; any other
    error is a fault of ours, and goes on to `fault`."""
    try:
        made = await run_in_threadpool(make)
        if isinstance(made, Response):
            return made
        return Response(text(made), media_type="application/json")
    except Refused as error:
        return problem(error.status, "Refused", str(error))
    except (ClientError, BotoCoreError) as error:
        return problem(502, **told(error))


async def fault(_: Request, error: Exception) -> Response:
    """The answer to an error of the console's own; the server logs the error after it."""
    message = f"The console failed ({type(error).__name__}: {error}); its log says where."
    return problem(500, "InternalError", message)


def told(error: Exception) -> dict[str, str]:
    """{code, message}, in AWS's words where AWS said something."""
    if isinstance(error, ClientError):
        found = error.response.get("Error", {})
        return {"code": found.get("Code", "Error"), "message": found.get("Message", str(error))}
    return {"code": type(error).__name__, "message": str(error)}


def problem(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def plain(value: Any) -> Any:
    """Times as milliseconds since 1970; what JSON has no word for, as text."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return str(value)


def text(value: Any) -> bytes:
    """JSON."""
    return json.dumps(value, default=plain, ensure_ascii=False, separators=(",", ":")).encode()
