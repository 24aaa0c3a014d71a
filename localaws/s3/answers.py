"""How S3 answers differ from the other services' on the wire; the only module here that knows moto.

moto's serialiser for S3 cannot stream a body, keeps no content type of an object and always
answers with the model's status. `S3Answer` adds these three.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any
from xml.sax.saxutils import escape

from moto.core import serialize
from werkzeug.wrappers import Response

from localaws.shapes import Json


class S3Answer(dict[str, Any]):
    """A handler's result with an HTTP status, and a body that may be an iterator of bytes."""

    def __init__(
        self, members: Json, *, status: int = 200, body: Iterable[bytes] | bytes | None = None
    ) -> None:
        super().__init__(members)
        self.status = status
        self.body = body


def error_page(code: str, message: str, status: int) -> Response:
    """S3's error where no operation answers: of a form, of a page of another origin."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>'
        f"{code}</Code><Message>{escape(message)}</Message></Error>"
    )
    return Response(body, status, content_type="application/xml")


class Serializer(serialize.S3Serializer):  # type: ignore[misc,unused-ignore]
    """S3's XML and headers, with `S3Answer` honoured."""

    def _serialized_result_to_response(
        self,
        resp: Any,
        result: Any,
        shape: Any,
        serialized_result: MutableMapping[str, Any],
    ) -> Any:
        resp = super()._serialized_result_to_response(resp, result, shape, serialized_result)
        if isinstance(result, S3Answer):
            resp["status_code"] = result.status
            if result.body is not None:
                resp["body"] = result.body
        if "ContentType" in result:
            resp["headers"]["Content-Type"] = result["ContentType"]
        return resp


def install() -> None:
    """Makes moto use our serialiser for S3."""
    serialize.SERVICE_SPECIFIC_SERIALIZERS["s3"]["rest-xml"] = Serializer
