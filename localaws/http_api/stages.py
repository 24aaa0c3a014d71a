"""Create, get, update and delete of stages and deployments."""

from __future__ import annotations

import re

from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.http_api import access_log
from localaws.http_api.store import Apis, bad_request, given, listed, new_id, part
from localaws.shapes import Json

SETTINGS = ("ThrottlingBurstLimit", "ThrottlingRateLimit", "DetailedMetricsEnabled")
STAGE_MEMBERS = ("AutoDeploy", "Description", "StageVariables", "DeploymentId")
STAGE_SETTINGS = tuple(f"DefaultRouteSettings.{name}" for name in SETTINGS)
# Keys of RouteSettings are route keys, which have dots and slashes of their own.
STAGE_PARAMETERS = (*STAGE_MEMBERS, *STAGE_SETTINGS, "RouteSettings", *access_log.MEMBERS)
KEPT = (*STAGE_MEMBERS, "DefaultRouteSettings", "RouteSettings", "AccessLogSettings")


class Stages:
    """Stages and deployments."""

    def __init__(self, apis: Apis) -> None:
        self._apis = apis
        self._clock = apis.aws.clock

    def register(self, service: Service) -> None:
        service.operation("CreateStage", "ApiId", "StageName", *STAGE_PARAMETERS, "Tags")(
            self.create_stage
        )
        service.operation("GetStage", "ApiId", "StageName")(self.get_stage)
        service.operation("GetStages", "ApiId", "MaxResults", "NextToken")(self.get_stages)
        service.operation("UpdateStage", "ApiId", "StageName", *STAGE_PARAMETERS)(self.update_stage)
        service.operation("DeleteStage", "ApiId", "StageName")(self.delete_stage)
        service.operation("CreateDeployment", "ApiId", "Description", "StageName")(
            self.create_deployment
        )
        service.operation("GetDeployment", "ApiId", "DeploymentId")(self.get_deployment)
        service.operation("GetDeployments", "ApiId", "MaxResults", "NextToken")(
            self.get_deployments
        )
        service.operation("DeleteDeployment", "ApiId", "DeploymentId")(self.delete_deployment)

    def create_stage(self, call: Call) -> Json:
        name = call.params["StageName"]
        now = self._clock.now()
        stage = {
            "AutoDeploy": False,
            "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
            "RouteSettings": {},
            "StageVariables": {},
            **given(call, KEPT),
            "StageName": name,
            "CreatedDate": now,
            "LastUpdatedDate": now,
            "Tags": call.params.get("Tags", {}),
        }
        check_stage(call.operation, stage)
        with self._apis.changing(call.params["ApiId"]) as document:
            if name in document["stages"]:
                raise AwsError("ConflictException", "Stage already exists", 409)
            check_deployment(document, stage)
            document["stages"][name] = stage
        return stage

    def get_stage(self, call: Call) -> Json:
        document = self._apis.find(call.params["ApiId"])
        return part(document, "stages", "Stage", call.params["StageName"])

    def get_stages(self, call: Call) -> Json:
        return listed(call.params, self._apis.find(call.params["ApiId"])["stages"].items())

    def update_stage(self, call: Call) -> Json:
        with self._apis.changing(call.params["ApiId"]) as document:
            stage = part(document, "stages", "Stage", call.params["StageName"])
            stage |= given(call, KEPT)
            stage["LastUpdatedDate"] = self._clock.now()
            check_stage(call.operation, stage)
            check_deployment(document, stage)
        return stage

    def delete_stage(self, call: Call) -> Json:
        with self._apis.changing(call.params["ApiId"]) as document:
            part(document, "stages", "Stage", call.params["StageName"])
            del document["stages"][call.params["StageName"]]
        return {}

    def create_deployment(self, call: Call) -> Json:
        with self._apis.changing(call.params["ApiId"]) as document:
            deployment = given(call, ("Description",)) | {
                "DeploymentId": new_id(6),
                "DeploymentStatus": "DEPLOYED",
                "CreatedDate": self._clock.now(),
                "AutoDeployed": False,
            }
            if "StageName" in call.params:
                stage = part(document, "stages", "Stage", call.params["StageName"])
                if stage["AutoDeploy"]:
                    raise bad_request("Deployment ID cannot be set on an auto-deployed stage.")
                stage["DeploymentId"] = deployment["DeploymentId"]
            # What a stage without AutoDeploy serves: routes and integrations as they are now.
            document["deployments"][deployment["DeploymentId"]] = {
                "deployment": deployment,
                "routes": dict(document["routes"]),
                "integrations": dict(document["integrations"]),
            }
        return deployment

    def get_deployment(self, call: Call) -> Json:
        document = self._apis.find(call.params["ApiId"])
        found = part(document, "deployments", "Deployment", call.params["DeploymentId"])
        deployment: Json = found["deployment"]
        return deployment

    def get_deployments(self, call: Call) -> Json:
        document = self._apis.find(call.params["ApiId"])
        deployments = document["deployments"].items()
        return listed(call.params, [(name, each["deployment"]) for name, each in deployments])

    def delete_deployment(self, call: Call) -> Json:
        identifier = call.params["DeploymentId"]
        with self._apis.changing(call.params["ApiId"]) as document:
            part(document, "deployments", "Deployment", identifier)
            if any(s.get("DeploymentId") == identifier for s in document["stages"].values()):
                raise bad_request("Active stages with deployments cannot be deleted.")
            del document["deployments"][identifier]
        return {}


def check_stage(operation: str, stage: Json) -> None:
    """The name, limits that are limits, and an access log that can be written."""
    if not re.fullmatch(r"\$default|[a-zA-Z0-9_-]{1,128}", stage["StageName"]):
        raise bad_request(f"Stage name {stage['StageName']!r} is not valid.")
    for settings in (stage["DefaultRouteSettings"], *stage["RouteSettings"].values()):
        unknown = set(settings) - set(SETTINGS)
        if unknown:
            raise NotEmulated("apigatewayv2", operation, f"RouteSettings.{min(unknown)}")
        for name in ("ThrottlingBurstLimit", "ThrottlingRateLimit"):
            if settings.get(name, 0) < 0:
                raise bad_request(f"{name} is {settings[name]}; it must be 0 or more.")
    if log := stage.get("AccessLogSettings"):
        access_log.check(operation, log)


def check_deployment(document: Json, stage: Json) -> None:
    """A stage deploys by itself or shows a deployment that exists."""
    identifier = stage.get("DeploymentId")
    if identifier is not None:
        if stage["AutoDeploy"]:
            raise bad_request("Deployment ID cannot be set when AutoDeploy is enabled.")
        part(document, "deployments", "Deployment", identifier)
