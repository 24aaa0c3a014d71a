"""The operations on endpoints."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.sagemaker import listing, shifting
from localaws.sagemaker.endpoints import Endpoints
from localaws.sagemaker.names import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    arn,
    changing,
    check_name,
    find,
    insert,
    validation,
)
from localaws.shapes import Json

RETAIN = (
    *("RetainAllVariantProperties", "RetainDeploymentConfig"),
    "ExcludeRetainedVariantProperties.VariantPropertyType",
)
# Of VariantPropertyType: the member of a deployment's variant.
RETAINED = {
    "DesiredInstanceCount": "InitialInstanceCount",
    "DesiredWeight": "InitialVariantWeight",
}
SUMMARY = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")


class EndpointOperations:
    """Create, update, describe, list, delete."""

    def __init__(self, aws: LocalAws, endpoints: Endpoints) -> None:
        self._aws = aws
        self._endpoints = endpoints

    def register(self, service: Service) -> None:
        named = ("EndpointName", "EndpointConfigName")
        for name, handler, parameters in (
            ("CreateEndpoint", self.create, (*named, "Tags", *shifting.PARAMETERS)),
            (
                "UpdateEndpoint",
                self.update,
                (*named, *RETAIN, *shifting.PARAMETERS),
            ),
            ("DescribeEndpoint", self.describe, ("EndpointName",)),
            ("DeleteEndpoint", self.delete, ("EndpointName",)),
            ("ListEndpoints", self.list, listing.CHANGING),
        ):
            service.operation(name, *parameters)(handler)

    def create(self, call: Call) -> Json:
        name, config = call.params["EndpointName"], call.params["EndpointConfigName"]
        check_name("EndpointName", name)
        find(self._aws, ENDPOINT_CONFIG, config)
        now, plan = self._aws.clock.now(), self._endpoints.plan(name, config)
        document: Json = {
            "describe": {
                "EndpointName": name,
                "EndpointArn": arn(self._aws, ENDPOINT, name),
                "EndpointConfigName": config,
                "EndpointStatus": "Creating",
                "CreationTime": now,
                "LastModifiedTime": now,
            },
            "current": None,
            "pending": plan,
            "tags": call.params.get("Tags", []),
        }
        if "DeploymentConfig" in call.params:  # of updates that retain it
            shifting.check(call.params["DeploymentConfig"], plan["variant"])
            document["describe"]["LastDeploymentConfig"] = call.params["DeploymentConfig"]
        insert(self._aws, ENDPOINT, name, document)
        self._endpoints.deploy(name)
        return {"EndpointArn": arn(self._aws, ENDPOINT, name)}

    def update(self, call: Call) -> Json:
        name, config = call.params["EndpointName"], call.params["EndpointConfigName"]
        with changing(self._aws, ENDPOINT, name) as document:
            self._begin_update(document, name, config)
            if call.params.get("RetainAllVariantProperties"):
                excluded = call.params.get("ExcludeRetainedVariantProperties", [])
                _retain(document, {one["VariantPropertyType"] for one in excluded})
            _guard(document, call.params)
        self._endpoints.deploy(name)
        return {"EndpointArn": arn(self._aws, ENDPOINT, name)}

    def _begin_update(self, document: Json, name: str, config: str) -> None:
        there = arn(self._aws, ENDPOINT, name)
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
        find(self._aws, ENDPOINT_CONFIG, config)
        now = self._aws.clock.now()
        plan = self._endpoints.plan(name, config)
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

    def describe(self, call: Call) -> Json:
        return self._endpoints.describe(call.params["EndpointName"])

    def delete(self, call: Call) -> Json:
        self._endpoints.delete(call.params["EndpointName"])
        return {}

    def list(self, call: Call) -> Json:
        items = [
            {member: doc["describe"][member] for member in SUMMARY}
            for _, doc in self._aws.documents.items(ENDPOINT)
        ]
        return listing.page(call, "Endpoints", "Endpoint", items, status="EndpointStatus")


def _guard(document: Json, params: Json) -> None:
    """How the requests go over to the new deployment: as this update says, or the last one did."""
    describe, plan = document["describe"], document["pending"]
    config = params.get("DeploymentConfig")
    if config is None and params.get("RetainDeploymentConfig"):
        config = describe.get("LastDeploymentConfig")
    if config is None:
        return
    shifting.check(config, plan["variant"])
    before, after = (document[one]["variant"]["VariantName"] for one in ("current", "pending"))
    if before != after:
        raise validation(
            f"A blue/green deployment needs the variant name that there was: {before}, not {after}."
        )
    describe["LastDeploymentConfig"] = document["shift"] = config


def _retain(document: Json, excluded: set[str]) -> None:
    """The new deployment has the number of machines, the weight and the data capture of the one
    before it, but for what is excluded.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html"""
    before, after = document["current"], document["pending"]
    for kind, member in RETAINED.items():
        if kind not in excluded and member in before["variant"] and member in after["variant"]:
            after["variant"][member] = before["variant"][member]
    if "DataCaptureConfig" not in excluded:
        after["capture"] = before.get("capture")
