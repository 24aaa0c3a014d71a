"""Models and endpoint configurations: what an endpoint is to serve."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError, NotEmulated
from localaws.core.service import Call, Service
from localaws.s3.names import split_uri
from localaws.sagemaker import archives, images, listing
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
CODE_IN_MODEL = "/opt/ml/model/"
SERVERLESS_MEMORY_MB = (1024, 2048, 3072, 4096, 5120, 6144)


def register_models(service: Service, aws: LocalAws) -> None:
    """Create, describe, list, delete of both."""

    @service.operation(
        "CreateModel", "ModelName", *CONTAINER, "ExecutionRoleArn", "Tags", "EnableNetworkIsolation"
    )
    def create_model(call: Call) -> Json:
        params = call.params
        name = params["ModelName"]
        check_name("ModelName", name)
        check_container(aws, call)
        document = {
            "describe": {
                "ModelName": name,
                "ModelArn": arn(aws, MODEL, name),
                "PrimaryContainer": {"Mode": "SingleModel", **params["PrimaryContainer"]},
                "CreationTime": aws.clock.now(),
                "EnableNetworkIsolation": False,
            }
            | (
                {"ExecutionRoleArn": params["ExecutionRoleArn"]}
                if "ExecutionRoleArn" in params
                else {}
            ),
            "tags": params.get("Tags", []),
        }
        insert(aws, MODEL, name, document)
        return {"ModelArn": arn(aws, MODEL, name)}

    @service.operation("CreateEndpointConfig", "EndpointConfigName", *VARIANT, "Tags")
    def create_endpoint_config(call: Call) -> Json:
        name = call.params["EndpointConfigName"]
        check_name("EndpointConfigName", name)
        check_variants(aws, call)
        document = {
            "describe": {
                "EndpointConfigName": name,
                "EndpointConfigArn": arn(aws, ENDPOINT_CONFIG, name),
                "ProductionVariants": [
                    {"InitialVariantWeight": 1.0, **variant}
                    for variant in call.params["ProductionVariants"]
                ],
                "CreationTime": aws.clock.now(),
            },
            "tags": call.params.get("Tags", []),
        }
        insert(aws, ENDPOINT_CONFIG, name, document)
        return {"EndpointConfigArn": arn(aws, ENDPOINT_CONFIG, name)}

    register_plain(service, aws, MODEL, "Model", "Models")
    register_plain(service, aws, ENDPOINT_CONFIG, "EndpointConfig", "EndpointConfigs")


def register_plain(service: Service, aws: LocalAws, kind: str, stem: str, member: str) -> None:
    """Describe, delete and list."""
    named = f"{stem}Name"

    @service.operation(f"Describe{stem}", named)
    def describe(call: Call) -> Json:
        document: Json = find(aws, kind, call.params[named])["describe"]
        return document

    @service.operation(f"Delete{stem}", named)
    def delete(call: Call) -> Json:
        find(aws, kind, call.params[named])
        aws.documents.delete(kind, call.params[named])
        return {}

    @service.operation(f"List{stem}s", *listing.PARAMETERS)
    def list_all(call: Call) -> Json:
        items = [
            {key: doc["describe"][key] for key in (named, f"{stem}Arn", "CreationTime")}
            for _, doc in aws.documents.items(kind)
        ]
        return listing.page(call, member, stem, items)


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
    if "SAGEMAKER_PROGRAM" not in variables or "SAGEMAKER_SUBMIT_DIRECTORY" not in variables:
        raise NotEmulated(
            "sagemaker",
            call.operation,
            "PrimaryContainer.Environment without SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY",
            "It has script mode hosting.",
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
