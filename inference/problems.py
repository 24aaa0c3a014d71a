"""What is answered when a request cannot be: an error as RFC 9457 writes it."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

PROBLEM = "application/problem+json"


class ProblemError(Exception):
    """A request that is answered with an error. `cause` is for the log alone."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        errors: list[Json] | None = None,
        headers: dict[str, str] | None = None,
        cause: str = "",
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.errors, self.headers, self.cause = errors or [], headers or {}, cause


def bad_request(detail: str, errors: list[Json] | None = None) -> ProblemError:
    return ProblemError(400, "Bad request", detail, errors)


def unavailable(detail: str, cause: str = "") -> ProblemError:
    """503: asking again later can help."""
    return ProblemError(
        503, "Model not available", detail, headers={"retry-after": "10"}, cause=cause
    )


def bad_gateway(detail: str, cause: str = "") -> ProblemError:
    """502: the endpoint is there, and what it said is no answer."""
    return ProblemError(502, "Model failed", detail, cause=cause)
