"""Models and endpoint configurations: what an endpoint is to serve."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.s3.names import split_uri
from localaws.sagemaker import algorithm, archives, capture, images, listing
from localaws.sagemaker.names import (
    ENDPOINT_CONFIG,
    MODEL,
    arn,
    check_name,
    find,
    insert,
    validation,
)
from localaws.sagemaker.principals import acting
from localaws.shapes import Json

CONTAINER = (
    "PrimaryContainer.Image",
    "PrimaryContainer.ModelDataUrl",
    "PrimaryContainer.Environment",
    "PrimaryContainer.Mode",
    "PrimaryContainer.ContainerHostname",
)
VARIANT = (
    "ProductionVariants.VariantName",
    "ProductionVariants.ModelName",
    "ProductionVariants.InitialInstanceCount",
    "ProductionVariants.InstanceType",
    "ProductionVariants.InitialVariantWeight",
    "ProductionVariants.ServerlessConfig.MemorySizeInMB",
    "ProductionVariants.ServerlessConfig.MaxConcurrency",
)
SCRIPT = ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY")
CODE_IN_MODEL = "/opt/ml/model/"
SERVERLESS_MEMORY_MB = (1024, 2048, 3072, 4096, 5120, 6144)


class Stored:
    """What a model and an endpoint configuration have in common: describe, delete, list.

    `stem` is what their operations and members are called by: Model, ModelName, ModelArn, Models.
    """

    kind: str
    stem: str

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._name = f"{self.stem}Name"

    def register(self, service: Service) -> None:
        service.operation(f"Describe{self.stem}", self._name)(self.describe)
        service.operation(f"Delete{self.stem}", self._name)(self.delete)
        service.operation(f"List{self.stem}s", *listing.PARAMETERS)(self.list)

    def describe(self, call: Call) -> Json:
        document: Json = find(self._aws, self.kind, call.params[self._name])["describe"]
        return document

    def delete(self, call: Call) -> Json:
        find(self._aws, self.kind, call.params[self._name])
        self._aws.documents.delete(self.kind, call.params[self._name])
        return {}

    def list(self, call: Call) -> Json:
        members = (self._name, f"{self.stem}Arn", "CreationTime")
        items = [
            {member: document["describe"][member] for member in members}
            for _, document in self._aws.documents.items(self.kind)
        ]
        return listing.page(call, f"{self.stem}s", self.stem, items)

    def _keep(self, call: Call, described: Json) -> Json:
        """Keeps what is new under its name, with its ARN, its time and its tags."""
        name = call.params[self._name]
        own = {f"{self.stem}Arn": arn(self._aws, self.kind, name)}
        describe = {self._name: name, **own, **described, "CreationTime": self._aws.clock.now()}
        document = {"describe": describe, "tags": call.params.get("Tags", [])}
        insert(self._aws, self.kind, name, document)
        return own


class Models(Stored):
    kind, stem = MODEL, "Model"

    def register(self, service: Service) -> None:
        super().register(service)
        service.operation(
            *("CreateModel", "ModelName", *CONTAINER, "ExecutionRoleArn", "Tags"),
            *("EnableNetworkIsolation", "VpcConfig.Subnets", "VpcConfig.SecurityGroupIds"),
        )(self.create)

    def create(self, call: Call) -> Json:
        params = call.params
        check_name("ModelName", params["ModelName"])
        check_container(self._aws, call)
        described: Json = {
            "PrimaryContainer": {"Mode": "SingleModel", **params["PrimaryContainer"]},
            "EnableNetworkIsolation": False,
        }
        # Of VpcConfig nothing follows: the network is this machine's.
        described |= {
            name: params[name] for name in ("ExecutionRoleArn", "VpcConfig") if name in params
        }
        return self._keep(call, described)


class EndpointConfigs(Stored):
    kind, stem = ENDPOINT_CONFIG, "EndpointConfig"

    def register(self, service: Service) -> None:
        super().register(service)
        service.operation(
            *("CreateEndpointConfig", "EndpointConfigName", *VARIANT, "KmsKeyId", "Tags"),
            *capture.PARAMETERS,
        )(self.create)

    def create(self, call: Call) -> Json:
        check_name("EndpointConfigName", call.params["EndpointConfigName"])
        check_variants(self._aws, call)
        variants = [
            {"InitialVariantWeight": 1.0, **variant}
            for variant in call.params["ProductionVariants"]
        ]
        # Of the volume; an endpoint's files are on this machine's disk.
        more: Json = {
            name: call.params[name]
            for name in ("KmsKeyId", "DataCaptureConfig")
            if name in call.params
        }
        serverless = any("ServerlessConfig" in variant for variant in variants)
        if serverless and "KmsKeyId" in more:
            raise validation("KmsKeyId is not supported for serverless endpoints.")
        if "DataCaptureConfig" in more:
            capture.check(more["DataCaptureConfig"], serverless)
        return self._keep(call, {"ProductionVariants": variants, **more})


def check_container(aws: LocalAws, call: Call) -> None:
    """The image, the script, and that the model's file is there."""
    if call.params.get("EnableNetworkIsolation"):
        raise NotEmulated("sagemaker", call.operation, "EnableNetworkIsolation=True")
    container = call.params.get("PrimaryContainer")
    if container is None:
        raise validation("PrimaryContainer is required.")
    if container.get("Mode", "SingleModel") != "SingleModel":
        raise NotEmulated("sagemaker", call.operation, f"PrimaryContainer.Mode={container['Mode']}")
    image = container.get("Image")
    if image is None:
        raise validation("PrimaryContainer.Image is required.")
    images.check_image(call.operation, "PrimaryContainer.Image", image)
    role, url = call.params.get("ExecutionRoleArn"), container.get("ModelDataUrl")
    if url is None:
        raise NotEmulated("sagemaker", call.operation, "PrimaryContainer without ModelDataUrl")
    check_archive(aws, role, url, "model data")
    variables = container.get("Environment", {})
    named = [name for name in SCRIPT if variables.get(name)]
    if not named:
        algorithm.check_serving(call, variables)
        return
    if len(named) < len(SCRIPT):
        raise NotEmulated(
            "sagemaker",
            call.operation,
            f"PrimaryContainer.Environment with {named[0]} alone",
            f"A script needs {' and '.join(SCRIPT)}, the image's algorithm none.",
        )
    source = variables["SAGEMAKER_SUBMIT_DIRECTORY"].removeprefix("file://")
    if not f"{source}/".startswith(CODE_IN_MODEL):
        code = check_archive(aws, role, source, "source code")
        if "requirements.txt" in code:
            raise NotEmulated(
                "sagemaker",
                call.operation,
                "PrimaryContainer.Environment.SAGEMAKER_SUBMIT_DIRECTORY",
                "Its requirements.txt is not installed.",
            )


def check_archive(aws: LocalAws, role: str | None, url: str, what: str) -> set[str]:
    """The top-level names of an existing archive. ValidationException when it is not there."""
    try:
        return archives.top_level(acting(aws, role).objects.path(*split_uri(url)))
    except (AwsError, OSError, ValueError) as problem:
        raise validation(f"Could not find {what} at {url}.") from problem


def check_variants(aws: LocalAws, call: Call) -> None:
    """One variant, on instances or serverless, with a model that exists."""
    variants = call.params["ProductionVariants"]
    if len(variants) != 1:
        raise NotEmulated("sagemaker", call.operation, f"ProductionVariants ({len(variants)})")
    variant = variants[0]
    if "ModelName" not in variant:
        raise validation("ProductionVariants[0].ModelName is required.")
    find(aws, MODEL, variant["ModelName"])
    serverless = variant.get("ServerlessConfig")
    if serverless is not None:
        if "InstanceType" in variant or "InitialInstanceCount" in variant:
            raise validation("ServerlessConfig cannot be used with an instance type or count.")
        if serverless["MemorySizeInMB"] not in SERVERLESS_MEMORY_MB:
            raise validation(
                f"MemorySizeInMB is {serverless['MemorySizeInMB']}; it must be one of "
                f"{', '.join(map(str, SERVERLESS_MEMORY_MB))}."
            )
    elif "InstanceType" not in variant or variant.get("InitialInstanceCount", 0) < 1:
        raise validation(
            "ProductionVariants[0] needs InstanceType and InitialInstanceCount (at least 1), or "
            "ServerlessConfig."
        )
