"""The Lambda API."""

from __future__ import annotations

import base64
import json
from typing import Any

from werkzeug.wrappers import Request, Response

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError, NotEmulated
from localaws.core.service import Call, Json, Service
from localaws.functions import configuration as settings
from localaws.functions import wire
from localaws.functions.functions import FUNCTION, Functions, LambdaService, split_name
from localaws.functions.permissions import Permissions
from localaws.functions.versions import drop_versions, publish, register_versions

CODE_ROUTE = "/_aws/lambda-code"
CODE = ("ZipFile", "S3Bucket", "S3Key")


def service(aws: LocalAws) -> Service:
    """The service "lambda"."""
    wire.install()
    functions = Functions(aws)
    lambda_ = LambdaService("lambda", functions=functions)
    lambda_.on_start(functions.start)
    lambda_.on_stop(functions.stop)
    lambda_.routes[CODE_ROUTE] = code_route(functions)
    permissions = Permissions(aws)
    register_functions(lambda_, functions, permissions)
    register_invoke(lambda_, functions)
    register_permissions(lambda_, functions, permissions)
    register_versions(lambda_, functions)
    register_tags(lambda_, functions)
    return lambda_


def register_functions(service: Service, functions: Functions, permissions: Permissions) -> None:
    """Create, update, look, delete."""
    documents, clock = functions.aws.documents, functions.aws.clock

    @service.operation(
        "CreateFunction",
        *settings.PARAMETERS,
        *(f"Code.{name}" for name in CODE),
        "Publish",
        "PackageType",
        "Architectures",
        "Tags",
    )
    def create_function(call: Call) -> Json:
        params = call.params
        name, qualifier = split_name(params["FunctionName"])
        if qualifier is not None:
            raise settings.invalid("FunctionName of a new function takes no qualifier.")
        for needed in ("Runtime", "Handler"):
            if needed not in params:
                raise settings.invalid(f"{needed} is mandatory for functions created with a zip.")
        check_package(call)
        settings.check(call.operation, params)
        if documents.get(FUNCTION, name) is not None:
            raise already_there(name)
        package = functions.code.store(params["Code"])
        configuration = settings.fresh(name, functions.arn(name))
        settings.apply(configuration, params)
        configuration["Architectures"] = params.get("Architectures", ["x86_64"])
        configuration["CodeSha256"] = package.code_sha256
        configuration["CodeSize"] = package.size_bytes
        settings.touch(configuration, clock.now())
        document: Json = {
            "configuration": configuration,
            "sha256": package.sha256,
            "tags": params.get("Tags", {}),
            "reserved": None,
        }
        if not documents.insert(FUNCTION, name, document):
            raise already_there(name)
        return publish(functions, name, "") if params.get("Publish") else configuration

    @service.operation(
        "UpdateFunctionCode",
        "FunctionName",
        *CODE,
        "Architectures",
        "Publish",
        "DryRun",
        "RevisionId",
    )
    def update_function_code(call: Call) -> Json:
        name, document = functions.get(call.params["FunctionName"])
        check_revision(call, document)
        check_package(call)
        package = functions.code.store({k: call.params[k] for k in CODE if k in call.params})
        configuration = document["configuration"]
        configuration["CodeSha256"] = package.code_sha256
        configuration["CodeSize"] = package.size_bytes
        if "Architectures" in call.params:
            configuration["Architectures"] = call.params["Architectures"]
        if call.params.get("DryRun"):
            return configuration
        document["sha256"] = package.sha256
        settings.touch(configuration, clock.now())
        documents.put(FUNCTION, name, document)
        return publish(functions, name, "") if call.params.get("Publish") else configuration

    @service.operation("UpdateFunctionConfiguration", *settings.PARAMETERS, "RevisionId")
    def update_function_configuration(call: Call) -> Json:
        name, document = functions.get(call.params["FunctionName"])
        check_revision(call, document)
        configuration: Json = document["configuration"]
        logging = configuration["LoggingConfig"] | call.params.get("LoggingConfig", {})
        settings.check(
            call.operation,
            call.params | ({"LoggingConfig": logging} if "LoggingConfig" in call.params else {}),
        )
        settings.apply(configuration, call.params)
        settings.touch(configuration, clock.now())
        documents.put(FUNCTION, name, document)
        return configuration

    @service.operation("GetFunction", "FunctionName", "Qualifier")
    def get_function(call: Call) -> Json:
        name, version, document = functions.resolve(
            call.params["FunctionName"], call.params.get("Qualifier")
        )
        latest = functions.get(name)[1]
        answer: Json = {
            "Configuration": document["configuration"],
            "Code": {
                "RepositoryType": "S3",
                "Location": f"{functions.aws.url}{CODE_ROUTE}/{document['sha256']}.zip",
            },
        }
        if latest["tags"]:
            answer["Tags"] = latest["tags"]
        if latest["reserved"] is not None and version == "$LATEST":
            answer["Concurrency"] = {"ReservedConcurrentExecutions": latest["reserved"]}
        return answer

    @service.operation("GetFunctionConfiguration", "FunctionName", "Qualifier")
    def get_function_configuration(call: Call) -> Json:
        _, _, document = functions.resolve(
            call.params["FunctionName"], call.params.get("Qualifier")
        )
        return document["configuration"]

    @service.operation("ListFunctions", "Marker", "MaxItems", "FunctionVersion")
    def list_functions(call: Call) -> Json:
        if "FunctionVersion" in call.params:
            raise NotEmulated("lambda", call.operation, "FunctionVersion")
        everything = sorted(documents.items(FUNCTION))
        start = int(call.params.get("Marker", "0"))
        end = start + min(call.params.get("MaxItems", 50), 50)
        answer: Json = {"Functions": [doc["configuration"] for _, doc in everything[start:end]]}
        if end < len(everything):
            answer["NextMarker"] = str(end)
        return answer

    @service.operation("DeleteFunction", "FunctionName")
    def delete_function(call: Call) -> Json:
        name, qualifier = split_name(call.params["FunctionName"])
        if qualifier is not None:
            raise NotEmulated("lambda", call.operation, "Qualifier", "It deletes whole functions.")
        functions.get(name)
        documents.delete(FUNCTION, name)
        drop_versions(functions, permissions, name)
        functions.forget(name)
        return {"StatusCode": 204}

    @service.operation("PutFunctionConcurrency", "FunctionName", "ReservedConcurrentExecutions")
    def put_function_concurrency(call: Call) -> Json:
        name, document = functions.get(call.params["FunctionName"])
        document["reserved"] = call.params["ReservedConcurrentExecutions"]
        documents.put(FUNCTION, name, document)
        return {"ReservedConcurrentExecutions": document["reserved"]}

    @service.operation("GetFunctionConcurrency", "FunctionName")
    def get_function_concurrency(call: Call) -> Json:
        reserved = functions.get(call.params["FunctionName"])[1]["reserved"]
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    @service.operation("DeleteFunctionConcurrency", "FunctionName")
    def delete_function_concurrency(call: Call) -> Json:
        name, document = functions.get(call.params["FunctionName"])
        document["reserved"] = None
        documents.put(FUNCTION, name, document)
        return {}


def register_invoke(service: Service, functions: Functions) -> None:
    """Invoke, in its three kinds."""

    @service.operation(
        "Invoke",
        "FunctionName",
        "InvocationType",
        "LogType",
        "ClientContext",
        "Payload",
        "Qualifier",
    )
    def invoke(call: Call) -> Json:
        params = call.params
        payload = body_bytes(params.get("Payload", b""))
        kind = params.get("InvocationType", "RequestResponse")
        qualifier = params.get("Qualifier")
        if kind == "DryRun":
            functions.resolve(params["FunctionName"], qualifier)
            return {"StatusCode": 204, "Payload": b""}
        if kind == "Event":
            later = functions.invoke_later(params["FunctionName"], payload, qualifier)
            return {"StatusCode": later.status, "Payload": b""}
        context = params.get("ClientContext")
        answer = functions.invoke(
            params["FunctionName"],
            payload,
            qualifier,
            client_context=json.loads(base64.b64decode(context)) if context else None,
            request_id=call.request_id,
        )
        result: Json = {
            "StatusCode": answer.status,
            "Payload": answer.payload,
            "ExecutedVersion": answer.version,
        }
        if answer.function_error:
            result["FunctionError"] = answer.function_error
        if params.get("LogType") == "Tail":
            result["LogResult"] = answer.log_tail
        return result


def register_permissions(service: Service, functions: Functions, permissions: Permissions) -> None:
    """Resource policies."""

    def key_of(call: Call) -> tuple[str, str]:
        name, inner = split_name(call.params["FunctionName"])
        qualifier = call.params.get("Qualifier") or inner
        functions.resolve(name, qualifier)
        return f"{name}:{qualifier}" if qualifier else name, functions.arn(name, qualifier)

    @service.operation(
        "AddPermission",
        "FunctionName",
        "StatementId",
        "Action",
        "Principal",
        "SourceArn",
        "SourceAccount",
        "Qualifier",
    )
    def add_permission(call: Call) -> Json:
        key, arn = key_of(call)
        return {"Statement": json.dumps(permissions.add(key, arn, call.params))}

    @service.operation("RemovePermission", "FunctionName", "StatementId", "Qualifier")
    def remove_permission(call: Call) -> Json:
        permissions.remove(key_of(call)[0], call.params["StatementId"])
        return {}

    @service.operation("GetPolicy", "FunctionName", "Qualifier")
    def get_policy(call: Call) -> Json:
        key, _ = key_of(call)
        return {"Policy": permissions.policy(key)}


def register_tags(service: Service, functions: Functions) -> None:
    """Tags, by the function's ARN."""
    documents = functions.aws.documents

    @service.operation("TagResource", "Resource", "Tags")
    def tag_resource(call: Call) -> Json:
        name, document = functions.get(call.params["Resource"])
        document["tags"] |= call.params["Tags"]
        documents.put(FUNCTION, name, document)
        return {}

    @service.operation("UntagResource", "Resource", "TagKeys")
    def untag_resource(call: Call) -> Json:
        name, document = functions.get(call.params["Resource"])
        for key in call.params["TagKeys"]:
            document["tags"].pop(key, None)
        documents.put(FUNCTION, name, document)
        return {}

    @service.operation("ListTags", "Resource")
    def list_tags(call: Call) -> Json:
        return {"Tags": functions.get(call.params["Resource"])[1]["tags"]}


def code_route(functions: Functions) -> Any:
    """Serves the archives that GetFunction's Code.Location names."""

    def download(request: Request) -> Response:
        name = request.path.rsplit("/", 1)[1].removesuffix(".zip")
        file = functions.code.archive(name)
        if not name.isalnum() or not file.is_file():
            return Response("No such code.\n", 404)
        return Response(file.read_bytes(), mimetype="application/zip")

    return download


def check_package(call: Call) -> None:
    """Zip packages for the usual processors; an image cannot run here."""
    if call.params.get("PackageType", "Zip") != "Zip":
        raise NotEmulated("lambda", call.operation, "PackageType=Image")


def check_revision(call: Call, document: Json) -> None:
    """PreconditionFailedException when the caller saw an older revision."""
    given = call.params.get("RevisionId")
    if given is not None and given != document["configuration"]["RevisionId"]:
        raise AwsError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the "
            "GetFunction/GetAlias API to retrieve the latest Revision Id",
            412,
        )


def already_there(name: str) -> AwsError:
    """The error of a second CreateFunction."""
    return AwsError("ResourceConflictException", f"Function already exist: {name}", 409)


def body_bytes(payload: Any) -> bytes:
    """A blob parameter, which may come as a stream."""
    if hasattr(payload, "read"):
        payload = payload.read()
    return payload.encode() if isinstance(payload, str) else bytes(payload)
