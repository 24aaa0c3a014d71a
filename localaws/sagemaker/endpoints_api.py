"""The operations on endpoints."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.errors import NotEmulated
from localaws.core.service import Call, Json, Service
from localaws.sagemaker import listing
from localaws.sagemaker.endpoints import Endpoints
from localaws.sagemaker.names import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    arn,
    check_name,
    find,
    insert,
    validation,
)

SUMMARY = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")


def register_endpoints(service: Service, aws: LocalAws, endpoints: Endpoints) -> None:
    """Create, update, describe, list, delete."""

    @service.operation("CreateEndpoint", "EndpointName", "EndpointConfigName", "Tags")
    def create_endpoint(call: Call) -> Json:
        name, config = call.params["EndpointName"], call.params["EndpointConfigName"]
        check_name("EndpointName", name)
        find(aws, ENDPOINT_CONFIG, config)
        now = aws.clock.now()
        document = {
            "describe": {
                "EndpointName": name,
                "EndpointArn": arn(aws, ENDPOINT, name),
                "EndpointConfigName": config,
                "EndpointStatus": "Creating",
                "CreationTime": now,
                "LastModifiedTime": now,
            },
            "current": None,
            "pending": endpoints.plan(name, config),
            "tags": call.params.get("Tags", []),
        }
        insert(aws, ENDPOINT, name, document)
        endpoints.deploy(name)
        return {"EndpointArn": arn(aws, ENDPOINT, name)}

    @service.operation(
        "UpdateEndpoint", "EndpointName", "EndpointConfigName", "RetainAllVariantProperties"
    )
    def update_endpoint(call: Call) -> Json:
        name, config = call.params["EndpointName"], call.params["EndpointConfigName"]
        if call.params.get("RetainAllVariantProperties"):
            raise NotEmulated("sagemaker", call.operation, "RetainAllVariantProperties=True")
        document = find(aws, ENDPOINT, name)
        there = arn(aws, ENDPOINT, name)
        status = document["describe"]["EndpointStatus"]
        if status == "Failed":
            raise validation(f'Cannot update endpoint "{there}" with status "Failed".')
        if status != "InService":
            raise validation(f'Cannot update in-progress endpoint "{there}".')
        if document["current"]["config"] == config:
            raise validation(
                f'Endpoint "{there}" already uses endpoint configuration {config!r}; an update '
                "needs another one."
            )
        find(aws, ENDPOINT_CONFIG, config)
        now = aws.clock.now()
        plan = endpoints.plan(name, config)
        kinds = {"ServerlessConfig" in p["variant"] for p in (plan, document["current"])}
        if len(kinds) > 1:
            raise validation("An endpoint cannot change between instances and serverless.")
        document["pending"] = plan
        document["describe"] |= {
            "EndpointStatus": "Updating",
            "LastModifiedTime": now,
            "PendingDeploymentSummary": {"EndpointConfigName": config, "StartTime": now},
        }
        document["describe"].pop("FailureReason", None)
        aws.documents.put(ENDPOINT, name, document)
        endpoints.deploy(name)
        return {"EndpointArn": there}

    @service.operation("DescribeEndpoint", "EndpointName")
    def describe_endpoint(call: Call) -> Json:
        return endpoints.describe(call.params["EndpointName"])

    @service.operation("DeleteEndpoint", "EndpointName")
    def delete_endpoint(call: Call) -> Json:
        name = call.params["EndpointName"]
        status = find(aws, ENDPOINT, name)["describe"]["EndpointStatus"]
        if status not in ("InService", "Failed"):
            raise validation(f'Cannot update in-progress endpoint "{arn(aws, ENDPOINT, name)}".')
        endpoints.delete(name)
        return {}

    @service.operation("ListEndpoints", *listing.CHANGING)
    def list_endpoints(call: Call) -> Json:
        items = [
            {member: doc["describe"][member] for member in SUMMARY}
            for _, doc in aws.documents.items(ENDPOINT)
        ]
        return listing.page(call, "Endpoints", "Endpoint", items, status="EndpointStatus")
