"""Errors as AWS sends them, and the one of our own: what this local AWS does not do."""

from __future__ import annotations


class AwsError(Exception):
    """A service error: `code` as AWS names it, the message, and the HTTP status.

    Raised by any handler; the gateway writes it in the service's own protocol, so that a client
    sees the same `ClientError` as from AWS.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def is_refusal(self) -> bool:
        """Whether policies did not allow it."""
        return self.code in ("AccessDenied", "AccessDeniedException", "AuthorizationError")


class NotEmulated(AwsError):
    """AWS takes this call or parameter, localaws does not, and says so instead of guessing."""

    def __init__(
        self, service: str, operation: str, parameter: str | None = None, detail: str = ""
    ) -> None:
        what = f"{service}:{operation}" + (f", parameter {parameter}" if parameter else "")
        tail = f" {detail}" if detail else ""
        super().__init__("NotEmulated", f"localaws does not emulate {what}.{tail}", status=501)
        self.service = service
        self.operation = operation
        self.parameter = parameter
