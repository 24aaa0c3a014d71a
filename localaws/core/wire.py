"""Between HTTP and plain dicts, in every AWS protocol: moto's router, parsers and serialisers."""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.validate import ParamValidator
from moto.core.model import OperationModel, ServiceModel, StructureShape
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import JSONSerializer, SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from localaws.errors import AwsError
from localaws.shapes import Json, without_nulls

# Signing names that differ from botocore's service names.
SERVICES_BY_SIGNING_NAME = {"states": "stepfunctions", "monitoring": "cloudwatch"}
SIGNING_NAMES = {name: signing for signing, name in SERVICES_BY_SIGNING_NAME.items()}
FORM = "application/x-www-form-urlencoded"
# Our NotEmulated is in no service's model, and AWS's own models lack many codes they send.
warnings.filterwarnings("ignore", message=r"Exception\(.*does not match an error shape")
CREDENTIAL = re.compile(r"Credential=[^/,]+/\d+/(?P<region>[^/]*)/(?P<service>[^/]*)/aws4_request")
DEFAULT_REGION = "us-east-1"
# How the operation of an unsigned request is named: X-Amz-Target (or Smithy's path) by the model's
# targetPrefix, a form's Version by its apiVersion, a path that cannot be a bucket's.
TARGETS = {
    "AWSStepFunctions": "stepfunctions",
    "AmazonAthena": "athena",
    "AWSGlue": "glue",
    "AWSEvents": "events",
    "SageMaker": "sagemaker",
    "AmazonSQS": "sqs",
    "DynamoDB_20120810": "dynamodb",
    "Logs_20140328": "logs",
    "GraniteServiceVersion20100801": "cloudwatch",
    "AmazonSSM": "ssm",
    "secretsmanager": "secretsmanager",
    "ServiceQuotasV20190624": "service-quotas",
}
VERSIONS = {
    "2010-05-08": "iam",
    "2011-06-15": "sts",
    "2010-03-31": "sns",
    "2012-11-05": "sqs",
    "2010-08-01": "cloudwatch",
    "2010-05-15": "cloudformation",
}
PATHS = (
    (re.compile(r"/20\d\d-\d\d-\d\d/"), "lambda"),
    (re.compile(r"/v2/"), "apigatewayv2"),
    (re.compile(r"/endpoints/[^/]+/(async-)?invocations$"), "sagemaker-runtime"),
)
# Their paths can be buckets' too: an unsigned request is S3's, and theirs when S3 refuses it.
AMBIGUOUS = ("databrew", "scheduler")
LONGEST_FORM_BYTES = 1 << 20  # that is read to see who is meant


class SparseJSONSerializer(JSONSerializer):
    """For answers that leave most members out, such as 1,000 events of some 50 kinds: moto's asks
    each structure for every member of its shape, this one takes those that are there."""

    def _serialize_type_structure(
        self, serialized: Any, value: Any, shape: StructureShape, key: str
    ) -> None:
        if not isinstance(value, dict) or shape.is_document_type:
            super()._serialize_type_structure(serialized, value, shape, key)
            return
        members = shape.members
        wrapper = self.MAP_TYPE() if key else serialized
        for name, member in value.items():
            if member is not None and name in members:
                self._serialize(wrapper, member, members[name], name)
        if key:
            self._default_serialize(serialized, wrapper, shape, key)


def _credential(request: Request) -> str:
    if "X-Amz-Credential" in request.args:
        return f"Credential={request.args['X-Amz-Credential']}"
    return request.headers.get("Authorization", "")


def identify(request: Request) -> tuple[str, str]:
    """(botocore service name, region) of a request, from its signature; of an unsigned one, from
    how its operation is named, and S3 where nothing else is.

    A pre-signed URL carries the same credential scope in its query.
    """
    match = CREDENTIAL.search(_credential(request))
    if match is None:
        by_path = (name for path, name in PATHS if path.match(request.path))
        return named_service(request) or next(by_path, "s3"), DEFAULT_REGION
    name = match["service"].lower()
    if name == "sagemaker" and request.path.endswith("/invocations"):
        name = "sagemaker-runtime"
    elif name == "apigateway" and request.path.startswith("/v2/"):
        name = "apigatewayv2"
    return SERVICES_BY_SIGNING_NAME.get(name, name), match["region"] or DEFAULT_REGION


def named_service(request: Request) -> str | None:
    """The botocore service of the operation that the request names, whatever its signature says;
    None where the path alone tells (S3 and other REST services)."""
    target = request.headers.get("X-Amz-Target", "").partition(".")[0]
    if request.path.startswith("/service/") and "Smithy-Protocol" in request.headers:
        target = request.path.split("/")[2]
    if target or request.path != "/":
        return TARGETS.get(target)
    fields = request.args
    if request.mimetype == FORM and (request.content_length or 0) <= LONGEST_FORM_BYTES:
        request.get_data()  # kept, for whoever reads it next
        fields = request.values
    return VERSIONS.get(fields.get("Version", "")) if "Action" in fields else None


def match_operation(service: str, request: Request) -> tuple[OperationModel, Json]:
    """The operation a request means and its URI parameters; UnknownOperationException if none.

    A form body is kept, since the query protocol names the operation in it.
    """
    if (request.content_type or "").startswith(FORM) and service != "s3":
        request.get_data()
    try:
        return get_service_router(service).match(request)
    except (NotFound, NotImplementedError, UnknownServiceError) as error:
        target = request.headers.get("X-Amz-Target") or f"{request.method} {request.path}"
        raise AwsError(
            "UnknownOperationException", f"{service} has no operation {target}.", 404
        ) from error


def also_meant(request: Request) -> tuple[str, OperationModel] | None:
    """The operation of another service that an unsigned request to a bucket's path may mean."""
    for service in AMBIGUOUS:
        with contextlib.suppress(NotFound, NotImplementedError):
            return service, get_service_router(service).match(request)[0]
    return None


def parse(operation: OperationModel, uri_parameters: Json, request: Request) -> Json:
    """The request's parameters in the model's spelling, checked against the model.

    Raises AwsError ValidationException for what the model refuses, as the services do.
    """
    model = operation.service_model
    protocol = determine_request_protocol(model, request.content_type)
    parser = PROTOCOL_PARSERS[protocol]
    streamed = _streamed(operation)
    body = b"" if streamed else request.get_data()
    try:
        if body.strip() and _is_document(operation, protocol):
            json.loads(body)  # the parser takes what is none for nothing
        params: Json = parser(operation).parse(
            {
                "method": request.method,
                # A form's type says nothing of a streamed body: `values` would read it as one.
                "values": request.args if streamed else request.values,
                "headers": request.headers,
                "body": body,
                "url_path": request.path,
                "url_params": uri_parameters,
            }
        )
    except Exception as error:
        raise AwsError(
            "SerializationException", f"The request body is malformed: {error}"
        ) from error
    params = without_nulls(params)  # null means "not given" in every protocol
    if operation.input_shape is not None:
        report = ParamValidator().validate(params, operation.input_shape)
        if report.has_errors():
            raise AwsError("ValidationException", report.generate_report())
    if streamed:
        params[streamed] = request.stream
    return params


def _is_document(operation: OperationModel, protocol: str) -> bool:
    """Whether the body is a JSON document of parameters, and no payload of another kind."""
    shape = operation.input_shape
    return protocol.endswith("json") and shape is not None and "payload" not in shape.serialization


def _streamed(operation: OperationModel) -> str | None:
    """The parameter that is the body as it comes in, a file object: objects can be large."""
    shape = operation.input_shape
    if shape is None or str(operation.service_model.service_name) != "s3":
        return None
    payload = shape.serialization.get("payload")
    return payload if payload and shape.members[payload].type_name == "blob" else None


def respond(
    operation: OperationModel | None,
    service: str,
    content_type: str | None,
    result: Json | AwsError,
    request_id: str,
) -> Response:
    """The HTTP answer for a handler's result or error, in the protocol of the request."""
    try:
        model: ServiceModel = get_service_model(service)
    except UnknownServiceError:
        model = get_service_model("sts")
    if operation is None:
        operation = OperationModel({}, model)
    try:
        protocol = determine_request_protocol(model, content_type)
    except NotImplementedError:
        protocol = str(model.protocol)
    serializer = get_serializer_class(str(model.service_name), protocol)
    if serializer is JSONSerializer:
        serializer = SparseJSONSerializer
    context = SerializationContext(request_id)
    answer = serializer(operation, context).serialize(result)
    headers = {**answer["headers"], "x-amzn-RequestId": request_id}
    status = result.status if isinstance(result, AwsError) else answer["status_code"]
    return Response(answer["body"], status=status, headers=headers)
