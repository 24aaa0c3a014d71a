"""The sagemaker-runtime client's one call, answered by the real endpoint functions."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from werkzeug.wrappers import Request

from inference import serve
from localaws.http_api.payload import Target, build_event, read_result
from localaws.http_api.routing import Match


class ServedModel:
    """InvokeEndpoint over `inference.serve`, as the container calls it; a refusal is ModelError."""

    def __init__(self, model_dir: Path) -> None:
        self.model = serve.model_fn(str(model_dir))

    def invoke_endpoint(
        self,
        EndpointName: str,  # noqa: N803 (boto3's spelling)
        Body: bytes,  # noqa: N803
        ContentType: str,  # noqa: N803
        Accept: str,  # noqa: N803
    ) -> dict[str, Any]:
        answer = serve.transform_fn(self.model, Body, ContentType, Accept)
        if not isinstance(answer, tuple):
            raise client_error("ModelError", answer.get_data(as_text=True), answer.status_code)
        return {"Body": io.BytesIO(answer[0].encode()), "ContentType": answer[1]}


class FailingRuntime:
    """InvokeEndpoint that always fails with `error`, or answers `body`."""

    def __init__(self, error: Exception | None = None, body: bytes = b"") -> None:
        self.error, self.body = error, body

    def invoke_endpoint(self, **_: Any) -> dict[str, Any]:
        if self.error:
            raise self.error
        return {"Body": io.BytesIO(self.body)}


def application(handler: Callable[[Any, Any], Any]) -> Any:
    """A WSGI application that does what API Gateway does around the function `handler`."""
    stage = {"StageName": "$default"}
    match = Match({"RouteKey": "$default"}, {})

    @Request.application
    def answer(request: Request) -> Any:
        target = Target("api", stage, request.path, "000000000000", "http://x", "request-1")
        event = build_event(request, request.get_data(), target, match, datetime.now(UTC))
        return read_result(json.dumps(handler(event, None)).encode())

    return answer


def client_error(code: str, message: str = "", original_status: int = 500) -> ClientError:
    told: Any = {
        "Error": {"Code": code, "Message": message},
        "OriginalStatusCode": original_status,
    }
    return ClientError(told, "InvokeEndpoint")
