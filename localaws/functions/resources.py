"""Functions: create, update, show, list, delete; their reserved concurrency; their code."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.functions import configuration as settings
from localaws.functions.functions import FUNCTION, LAMBDA, LATEST, Functions, split_name
from localaws.functions.versions import Versions, check_revision
from localaws.identity.actions.asked import Asked
from localaws.shapes import Json

CODE_ROUTE = "/_aws/lambda-code"
CODE = ("ZipFile", "S3Bucket", "S3Key")


class FunctionResources:
    def __init__(self, functions: Functions, versions: Versions) -> None:
        self._functions = functions
        self._versions = versions
        self._documents = functions.aws.documents
        self._clock = functions.aws.clock

    def register(self, service: Service) -> None:
        service.operation(
            *("CreateFunction", *settings.PARAMETERS, *(f"Code.{name}" for name in CODE)),
            *("Publish", "PackageType", "Architectures", "Tags"),
        )(self.create)
        service.operation(
            *("UpdateFunctionCode", "FunctionName", *CODE, "Architectures", "Publish", "DryRun"),
            "RevisionId",
        )(self.update_code)
        service.operation("UpdateFunctionConfiguration", *settings.PARAMETERS, "RevisionId")(
            self.update_configuration
        )
        service.operation("GetFunction", "FunctionName", "Qualifier")(self.get)
        service.operation("GetFunctionConfiguration", "FunctionName", "Qualifier")(
            self.get_configuration
        )
        service.operation("ListFunctions", "Marker", "MaxItems", "FunctionVersion")(self.list)
        service.operation("DeleteFunction", "FunctionName", "Qualifier")(self.delete)
        service.operation("PutFunctionConcurrency", "FunctionName", "ReservedConcurrentExecutions")(
            self.put_concurrency
        )
        service.operation("GetFunctionConcurrency", "FunctionName")(self.get_concurrency)
        service.operation("DeleteFunctionConcurrency", "FunctionName")(self.delete_concurrency)
        service.routes[CODE_ROUTE] = self.download

    def _aws_of(self, call: Call) -> LocalAws:
        """The AWS as the caller sees it, through Lambda: for reading a package."""
        return self._functions.aws.acting(call.caller.on_behalf(LAMBDA))

    def create(self, call: Call) -> Json:
        params = call.params
        name, qualifier = split_name(params["FunctionName"])
        if qualifier is not None:
            raise settings.invalid("FunctionName of a new function takes no qualifier.")
        for needed in ("Runtime", "Handler"):
            if needed not in params:
                raise settings.invalid(f"{needed} is mandatory for functions created with a zip.")
        check_package(call)
        settings.check(call.operation, params)
        if self._documents.get(FUNCTION, name) is not None:
            raise already_there(name)
        package = self._functions.code.store(self._aws_of(call), params["Code"])
        configuration = settings.fresh(name, self._functions.arn(name))
        settings.apply(configuration, params)
        configuration["Architectures"] = params.get("Architectures", ["x86_64"])
        configuration["CodeSha256"] = package.code_sha256
        configuration["CodeSize"] = package.size_bytes
        self._check_network(configuration)
        settings.touch(configuration, self._clock.now())
        document: Json = {
            "configuration": configuration,
            "sha256": package.sha256,
            "tags": params.get("Tags", {}),
            "reserved": None,
        }
        if not self._documents.insert(FUNCTION, name, document):
            raise already_there(name)
        return self._versions.freeze(name, "") if params.get("Publish") else configuration

    def _check_network(self, configuration: Json) -> None:
        """What Lambda asks with the role of a function that stands in subnets; there are none here.
        https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"""
        if not configuration.get("VpcConfig", {}).get("SubnetIds"):
            return
        arn = self._functions.arn(configuration["FunctionName"])
        role = self._functions.aws.acting_as_role(
            configuration["Role"], configuration["FunctionName"], LAMBDA, arn
        )
        interface = f"arn:aws:ec2:{role.region}:{role.account}:network-interface/*"
        for action, on in (
            ("CreateNetworkInterface", interface),
            ("DescribeNetworkInterfaces", "*"),
        ):
            try:
                role.authorize.ask(role.caller, "lambda", Asked(f"ec2:{action}", on))
            except AwsError as error:
                raise settings.invalid(
                    f"The provided execution role does not have permissions to call {action} on EC2"
                ) from error

    def update_code(self, call: Call) -> Json:
        params = call.params
        name, document = self._functions.get(params["FunctionName"])
        check_revision(call, document)
        check_package(call)
        package = self._functions.code.store(
            self._aws_of(call), {k: params[k] for k in CODE if k in params}
        )
        members = {"CodeSha256": package.code_sha256, "CodeSize": package.size_bytes}
        if "Architectures" in params:
            members["Architectures"] = params["Architectures"]
        if params.get("DryRun"):
            return dict(document["configuration"] | members)
        with self._functions.changing(name) as document:
            check_revision(call, document)
            configuration: Json = document["configuration"]
            configuration |= members
            document["sha256"] = package.sha256
            settings.touch(configuration, self._clock.now())
        return self._versions.freeze(name, "") if params.get("Publish") else configuration

    def update_configuration(self, call: Call) -> Json:
        with self._functions.changing(call.params["FunctionName"]) as document:
            check_revision(call, document)
            configuration: Json = document["configuration"]
            logging = configuration["LoggingConfig"] | call.params.get("LoggingConfig", {})
            settings.check(
                call.operation,
                call.params
                | ({"LoggingConfig": logging} if "LoggingConfig" in call.params else {}),
            )
            settings.apply(configuration, call.params)
            self._check_network(configuration)
            settings.touch(configuration, self._clock.now())
        return configuration

    def get(self, call: Call) -> Json:
        name, version, document = self._functions.resolve(
            call.params["FunctionName"], call.params.get("Qualifier")
        )
        latest = self._functions.get(name)[1]
        answer: Json = {
            "Configuration": document["configuration"],
            "Code": {
                "RepositoryType": "S3",
                "Location": f"{self._functions.aws.url}{CODE_ROUTE}/{document['sha256']}.zip",
            },
        }
        if latest["tags"]:
            answer["Tags"] = latest["tags"]
        if latest["reserved"] is not None and version == LATEST:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": latest["reserved"]}
        return answer

    def get_configuration(self, call: Call) -> Json:
        _, _, document = self._functions.resolve(
            call.params["FunctionName"], call.params.get("Qualifier")
        )
        return document["configuration"]

    def list(self, call: Call) -> Json:
        if "FunctionVersion" in call.params:
            raise NotEmulated("lambda", call.operation, "FunctionVersion")
        found = page(
            self._documents.items(FUNCTION),
            call.params.get("Marker"),
            min(call.params.get("MaxItems", 50), 50),
            invalid=settings.invalid,
        )
        functions = [document["configuration"] for document in found.items]
        return {"Functions": functions, **found.next("NextMarker")}

    def delete(self, call: Call) -> Json:
        name, qualifier = split_name(call.params["FunctionName"])
        qualifier = call.params.get("Qualifier", qualifier)
        if qualifier is not None:
            self._versions.delete(name, qualifier)
            return {"StatusCode": 204}
        with self._documents.transaction():
            self._functions.get(name)
            self._documents.delete(FUNCTION, name)
            self._versions.drop(name)
        self._functions.forget(name)
        return {"StatusCode": 204}

    def put_concurrency(self, call: Call) -> Json:
        reserved = call.params["ReservedConcurrentExecutions"]
        with self._functions.changing(call.params["FunctionName"]) as document:
            document["reserved"] = reserved
        return {"ReservedConcurrentExecutions": reserved}

    def get_concurrency(self, call: Call) -> Json:
        reserved = self._functions.get(call.params["FunctionName"])[1]["reserved"]
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def delete_concurrency(self, call: Call) -> Json:
        with self._functions.changing(call.params["FunctionName"]) as document:
            document["reserved"] = None
        return {}

    def download(self, request: Request) -> Response:
        """The archive that GetFunction's Code.Location names."""
        name = request.path.rsplit("/", 1)[1].removesuffix(".zip")
        file = self._functions.code.archive(name)
        if not name.isalnum() or not file.is_file():
            return Response("No such code.\n", 404)
        return Response(file.read_bytes(), mimetype="application/zip")


def check_package(call: Call) -> None:
    """Zip packages for the usual processors; an image cannot run here."""
    if call.params.get("PackageType", "Zip") != "Zip":
        raise NotEmulated("lambda", call.operation, "PackageType=Image")


def already_there(name: str) -> AwsError:
    """The error of a second CreateFunction."""
    return AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
