"""InvokeEndpoint (docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint)."""

from __future__ import annotations

from typing import Any

from localaws.cloudwatch.api import measure
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.sagemaker.capture import Side
from localaws.sagemaker.capturing import Captures
from localaws.sagemaker.endpoints import endpoints_of
from localaws.sagemaker.model_process import NotServing, Served
from localaws.sagemaker_runtime.wire import ModelError, install
from localaws.shapes import Json

BODY_LIMIT_BYTES = 6_291_456
# Request parameter: the header the container gets.
HEADERS = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
}


def service(aws: LocalAws) -> Service:
    """The service "sagemaker-runtime"."""
    install()
    runtime = Service("sagemaker-runtime")
    captures = Captures(aws)
    EndpointInvocations(aws, captures).register(runtime)
    runtime.on_stop(captures.stop)
    return runtime


class EndpointInvocations:
    def __init__(self, aws: LocalAws, captures: Captures) -> None:
        self._aws = aws
        self._captures = captures

    def register(self, service: Service) -> None:
        parameters = ("EndpointName", "Body", *HEADERS, "TargetVariant")
        service.operation("InvokeEndpoint", *parameters)(self.invoke)

    def invoke(self, call: Call) -> Json:
        clock, params = self._aws.clock, call.params
        began = clock.monotonic()
        name = params["EndpointName"]
        body = body_bytes(params.get("Body", b""))
        if len(body) > BODY_LIMIT_BYTES:
            raise AwsError(
                "ValidationError",
                f"Request body is {len(body)} bytes; the limit is {BODY_LIMIT_BYTES}.",
                413,
            )
        headers = {header: params[member] for member, header in HEADERS.items() if member in params}
        with endpoints_of(self._aws).serving(name) as process:
            variant = process.variant
            if params.get("TargetVariant", variant) != variant:
                raise AwsError(
                    "ValidationError",
                    f"Variant {params['TargetVariant']} of endpoint {name} not found.",
                )
            sent = clock.monotonic()
            status = 500
            try:
                served = process.invoke(body, headers)
                status = served.status
            except TimeoutError as problem:
                text = "Your invocation timed out while waiting for a response from container"
                raise model_error(self._aws, name, Served(0, text.encode(), "")) from problem
            except (NotServing, OSError) as problem:
                text = f"The container ended while it answered: {problem}"
                raise model_error(self._aws, name, Served(0, text.encode(), "")) from problem
            finally:
                answered = clock.monotonic()
                config = process.plan["config"] if process.new else None
                values = measured(began, sent, answered, status)
                measure(self._aws, name, variant, values, config)
        if served.status >= 300:
            raise model_error(self._aws, name, served)
        # GUESSED: a request without a type is of the one that a container takes it for.
        asked = Side(headers.get("Content-Type", "application/octet-stream"), body)
        self._captures.add(name, process, asked, Side(served.content_type, served.body))
        return {
            "Body": served.body,
            "ContentType": served.content_type,
            "InvokedProductionVariant": variant,
        }


def measured(began: float, sent: float, answered: float, status: int) -> dict[str, float]:
    """The metrics of one invocation; its times in seconds, latencies in microseconds."""
    return {
        "Invocations": 1.0,
        "ModelLatency": (answered - sent) * 1e6,
        "OverheadLatency": (sent - began) * 1e6,
        "Invocation4XXErrors": float(400 <= status < 500),
        "Invocation5XXErrors": float(status >= 500),
    }


def body_bytes(body: Any) -> bytes:
    """A blob parameter, which may come as a stream."""
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body)


def model_error(aws: LocalAws, name: str, served: Served) -> ModelError:
    """424, worded as AWS words it."""
    message = served.body.decode("utf-8", "replace")
    kind = "client" if 400 <= served.status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{name}"
    text = (
        f'Received {kind} error ({served.status}) from primary with message "{message}". See '
        f"https://{aws.region}.console.aws.amazon.com/cloudwatch/home?region={aws.region}"
        f"#logEventViewer:group={group} in account {aws.account} for more information."
    )
    stream = f"arn:aws:logs:{aws.region}:{aws.account}:log-group:{group}"
    return ModelError(text, served.status, message, stream)
