"""AWS::ApiGatewayV2::Api, Integration, Route and Stage: HTTP APIs."""

from __future__ import annotations

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    ignoring_missing,
    picked,
)

SERVICE = "apigatewayv2"


class Api(Provider):
    type = "AWS::ApiGatewayV2::Api"
    replaced_by = ("ProtocolType",)
    attributes = ("ApiId", "ApiEndpoint")
    plain = ("Name", "CorsConfiguration", "Description", "Version", "DisableExecuteApiEndpoint")
    properties = ("ProtocolType", "Tags", *plain)

    def create(self, request: ResourceRequest) -> Made:
        made = request.call(
            SERVICE,
            "create_api",
            ProtocolType=request.properties.get("ProtocolType"),
            Tags=request.tags() or None,
            **picked(request.properties, self.plain),
        )
        attributes = {"ApiId": made["ApiId"], "ApiEndpoint": made["ApiEndpoint"]}
        return Made(made["ApiId"], attributes)

    def update(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, self.plain)
        if "CorsConfiguration" in request.previous and "CorsConfiguration" not in given:
            request.call(SERVICE, "delete_cors_configuration", ApiId=request.physical_id)
        request.call(SERVICE, "update_api", ApiId=request.physical_id, **given)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call(SERVICE, "delete_api", ApiId=request.physical_id)


class Integration(Provider):
    type = "AWS::ApiGatewayV2::Integration"
    replaced_by = ("ApiId",)
    attributes = ("IntegrationId",)
    plain = (
        *("IntegrationType", "IntegrationUri", "PayloadFormatVersion", "IntegrationMethod"),
        *("TimeoutInMillis", "Description", "ConnectionType", "IntegrationSubtype"),
        *("CredentialsArn", "RequestParameters"),
    )
    properties = ("ApiId", *plain)

    def create(self, request: ResourceRequest) -> Made:
        made = request.call(
            SERVICE, "create_integration", **picked(request.properties, self.properties)
        )["IntegrationId"]
        return Made(made, {"IntegrationId": made})

    def update(self, request: ResourceRequest) -> Made:
        request.call(
            SERVICE,
            "update_integration",
            IntegrationId=request.physical_id,
            **picked(request.properties, self.properties),
        )
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            api, made = request.properties["ApiId"], request.physical_id
            request.call(SERVICE, "delete_integration", ApiId=api, IntegrationId=made)


class Route(Provider):
    type = "AWS::ApiGatewayV2::Route"
    replaced_by = ("ApiId",)
    attributes = ("RouteId",)
    properties = (
        *("ApiId", "RouteKey", "Target", "AuthorizationType", "OperationName", "AuthorizerId"),
    )

    def create(self, request: ResourceRequest) -> Made:
        made = request.call(SERVICE, "create_route", **picked(request.properties, self.properties))
        return Made(made["RouteId"], {"RouteId": made["RouteId"]})

    def update(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, self.properties)
        request.call(SERVICE, "update_route", RouteId=request.physical_id, **given)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            api = request.properties["ApiId"]
            request.call(SERVICE, "delete_route", ApiId=api, RouteId=request.physical_id)


class Stage(Provider):
    type = "AWS::ApiGatewayV2::Stage"
    name_property = "StageName"
    replaced_by = ("ApiId", "StageName")
    plain = (
        *("AutoDeploy", "DefaultRouteSettings", "AccessLogSettings", "Description"),
        *("StageVariables", "RouteSettings"),
    )
    properties = ("ApiId", "StageName", "Tags", *plain)

    def create(self, request: ResourceRequest) -> Made:
        request.call(
            SERVICE,
            "create_stage",
            Tags=request.tags() or None,
            **picked(request.properties, ("ApiId", "StageName", *self.plain)),
        )
        return Made(request.properties["StageName"])

    def update(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, ("ApiId", "StageName", *self.plain))
        request.call(SERVICE, "update_stage", **given)
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            given = picked(request.properties, ("ApiId", "StageName"))
            request.call(SERVICE, "delete_stage", **given)


PROVIDERS = (Api(), Integration(), Route(), Stage())
