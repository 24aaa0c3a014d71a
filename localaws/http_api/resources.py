"""Create, get, update and delete of APIs, integrations and routes; tags."""

from __future__ import annotations

import re

from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.http_api import service_calls
from localaws.http_api.routing import check_route_key
from localaws.http_api.store import PREFIX, Apis, bad_request, given, listed, new_id, part
from localaws.shapes import Json

FUNCTION = re.compile(
    r"(?:arn:aws[a-z-]*:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/)?"
    r"(?P<arn>arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[a-zA-Z0-9_-]+"
    r"(?::[$a-zA-Z0-9_-]+)?)(?:/invocations)?"
)
SELECTIONS = ("$request.method $request.path", "${request.method} ${request.path}")
TIMEOUT_MS = range(50, 30_001)
API_MEMBERS = ("Name", "Description", "Version", "CorsConfiguration")
INTEGRATION_MEMBERS = (
    "IntegrationType",
    "IntegrationUri",
    "IntegrationMethod",
    "PayloadFormatVersion",
    "TimeoutInMillis",
    "Description",
    "ConnectionType",
    "IntegrationSubtype",
    "CredentialsArn",
    "RequestParameters",
)
ROUTE_MEMBERS = ("RouteKey", "Target", "AuthorizationType", "OperationName", "ApiKeyRequired")


class ApiResources:
    """The APIs themselves."""

    def __init__(self, apis: Apis) -> None:
        self._apis = apis
        self._clock = apis.aws.clock

    def register(self, service: Service) -> None:
        service.operation(
            "CreateApi", *API_MEMBERS, "ProtocolType", "RouteSelectionExpression", "Tags"
        )(self.create_api)
        service.operation("GetApi", "ApiId")(self.get_api)
        service.operation("GetApis", "MaxResults", "NextToken")(self.get_apis)
        service.operation("UpdateApi", "ApiId", *API_MEMBERS)(self.update_api)
        service.operation("DeleteApi", "ApiId")(self.delete_api)
        service.operation("DeleteCorsConfiguration", "ApiId")(self.delete_cors_configuration)

    def create_api(self, call: Call) -> Json:
        if call.params["ProtocolType"] != "HTTP":
            raise NotEmulated("apigatewayv2", call.operation, "ProtocolType=WEBSOCKET")
        selection = call.params.get("RouteSelectionExpression", SELECTIONS[0])
        if selection not in SELECTIONS:
            raise bad_request(f"RouteSelectionExpression {selection!r} is not possible for HTTP.")
        check_cors(call.params.get("CorsConfiguration", {}))
        api_id = new_id(10)
        api = given(call, API_MEMBERS) | {
            "ApiId": api_id,
            "ApiEndpoint": f"{self._apis.aws.url}{PREFIX}/{api_id}",
            "ProtocolType": "HTTP",
            "RouteSelectionExpression": SELECTIONS[0],
            "ApiKeySelectionExpression": "$request.header.x-api-key",
            "DisableExecuteApiEndpoint": False,
            "IpAddressType": "ipv4",
            "CreatedDate": self._clock.now(),
            "Tags": call.params.get("Tags", {}),
        }
        parts: Json = {"integrations": {}, "routes": {}, "stages": {}, "deployments": {}}
        self._apis.add(api_id, {"api": api, **parts})
        return api

    def get_api(self, call: Call) -> Json:
        return self._shown(self._apis.find(call.params["ApiId"])["api"])

    def get_apis(self, call: Call) -> Json:
        apis = [document["api"] for document in self._apis.all()]
        return listed(call.params, [(api["ApiId"], self._shown(api)) for api in apis])

    def update_api(self, call: Call) -> Json:
        check_cors(call.params.get("CorsConfiguration", {}))
        with self._apis.changing(call.params["ApiId"]) as document:
            document["api"] |= given(call, API_MEMBERS)
        return self._shown(document["api"])

    def delete_api(self, call: Call) -> Json:
        self._apis.remove(call.params["ApiId"])
        return {}

    def delete_cors_configuration(self, call: Call) -> Json:
        with self._apis.changing(call.params["ApiId"]) as document:
            document["api"].pop("CorsConfiguration", None)
        return {}

    def _shown(self, api: Json) -> Json:
        # The port may be another one after a restart.
        return api | {"ApiEndpoint": f"{self._apis.aws.url}{PREFIX}/{api['ApiId']}"}


def check_cors(cors: Json) -> None:
    """docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html"""
    for origin in cors.get("AllowOrigins", []):
        if origin != "*" and "://" not in origin:
            raise bad_request(f"Invalid format for origin {origin!r}: it has no scheme.")
    if cors.get("AllowCredentials") and "*" in cors.get("AllowOrigins", []):
        raise bad_request("AllowCredentials is not supported with the origin *.")


class ApiIntegrations:
    """Integrations: Lambda functions with payload format 2.0, and calls of Step Functions."""

    def __init__(self, apis: Apis) -> None:
        self._apis = apis
        self._region = apis.aws.region

    def register(self, service: Service) -> None:
        service.operation("CreateIntegration", "ApiId", *INTEGRATION_MEMBERS)(
            self.create_integration
        )
        service.operation("GetIntegration", "ApiId", "IntegrationId")(self.get_integration)
        service.operation("GetIntegrations", "ApiId", "MaxResults", "NextToken")(
            self.get_integrations
        )
        service.operation("UpdateIntegration", "ApiId", "IntegrationId", *INTEGRATION_MEMBERS)(
            self.update_integration
        )
        service.operation("DeleteIntegration", "ApiId", "IntegrationId")(self.delete_integration)

    def create_integration(self, call: Call) -> Json:
        integration = {
            "IntegrationMethod": "POST",
            "ConnectionType": "INTERNET",
            "TimeoutInMillis": 30_000,
            **given(call, INTEGRATION_MEMBERS),
            "IntegrationId": new_id(7),
        }
        check_integration(call.operation, integration, self._region)
        with self._apis.changing(call.params["ApiId"]) as document:
            document["integrations"][integration["IntegrationId"]] = integration
        return integration

    def get_integration(self, call: Call) -> Json:
        document = self._apis.find(call.params["ApiId"])
        return part(document, "integrations", "Integration", call.params["IntegrationId"])

    def get_integrations(self, call: Call) -> Json:
        document = self._apis.find(call.params["ApiId"])
        return listed(call.params, document["integrations"].items())

    def update_integration(self, call: Call) -> Json:
        with self._apis.changing(call.params["ApiId"]) as document:
            integration = part(
                document, "integrations", "Integration", call.params["IntegrationId"]
            )
            integration |= given(call, INTEGRATION_MEMBERS)
            check_integration(call.operation, integration, self._region)
        return integration

    def delete_integration(self, call: Call) -> Json:
        identifier = call.params["IntegrationId"]
        with self._apis.changing(call.params["ApiId"]) as document:
            part(document, "integrations", "Integration", identifier)
            used = [
                route["RouteKey"]
                for route in document["routes"].values()
                if route.get("Target") == f"integrations/{identifier}"
            ]
            if used:
                raise AwsError(
                    "ConflictException",
                    f"Cannot delete Integration {identifier}: route {used[0]} uses it.",
                    409,
                )
            del document["integrations"][identifier]
        return {}


def check_integration(operation: str, integration: Json, region: str) -> None:
    """Refuses by name what goes neither to a Lambda function nor to Step Functions."""
    if integration["IntegrationType"] != "AWS_PROXY":
        kind = integration["IntegrationType"]
        raise NotEmulated("apigatewayv2", operation, f"IntegrationType={kind}")
    if integration["TimeoutInMillis"] not in TIMEOUT_MS:
        raise bad_request(
            f"TimeoutInMillis is {integration['TimeoutInMillis']}; it must be 50 to 30000."
        )
    if "IntegrationSubtype" in integration:
        service_calls.check(operation, integration, region)
        return
    for member in ("CredentialsArn", "RequestParameters"):
        if member in integration:
            raise NotEmulated("apigatewayv2", operation, member, "Without an IntegrationSubtype.")
    if "PayloadFormatVersion" not in integration:
        raise bad_request("PayloadFormatVersion is a required parameter for integration")
    if integration["PayloadFormatVersion"] != "2.0":
        raise NotEmulated(
            "apigatewayv2", operation, f"PayloadFormatVersion={integration['PayloadFormatVersion']}"
        )
    if integration["ConnectionType"] != "INTERNET":
        raise NotEmulated(
            "apigatewayv2", operation, f"ConnectionType={integration['ConnectionType']}"
        )
    if FUNCTION.fullmatch(integration.get("IntegrationUri", "")) is None:
        raise bad_request(
            f"IntegrationUri {integration.get('IntegrationUri')!r} is not a Lambda function's ARN."
        )


def function_arn(integration: Json) -> str:
    """The Lambda function (perhaps with a qualifier) that an integration calls."""
    match = FUNCTION.fullmatch(integration["IntegrationUri"])
    if match is None:
        raise ValueError(f"No function ARN: {integration['IntegrationUri']!r}")
    return match["arn"]


class Routes:
    """Routes."""

    def __init__(self, apis: Apis) -> None:
        self._apis = apis

    def register(self, service: Service) -> None:
        service.operation("CreateRoute", "ApiId", *ROUTE_MEMBERS)(self.create_route)
        service.operation("GetRoute", "ApiId", "RouteId")(self.get_route)
        service.operation("GetRoutes", "ApiId", "MaxResults", "NextToken")(self.get_routes)
        service.operation("UpdateRoute", "ApiId", "RouteId", *ROUTE_MEMBERS)(self.update_route)
        service.operation("DeleteRoute", "ApiId", "RouteId")(self.delete_route)

    def create_route(self, call: Call) -> Json:
        route = {
            "AuthorizationType": "NONE",
            "ApiKeyRequired": False,
            **given(call, ROUTE_MEMBERS),
            "RouteId": new_id(7),
        }
        with self._apis.changing(call.params["ApiId"]) as document:
            check_route(call, document, route)
            document["routes"][route["RouteId"]] = route
        return route

    def get_route(self, call: Call) -> Json:
        document = self._apis.find(call.params["ApiId"])
        return part(document, "routes", "Route", call.params["RouteId"])

    def get_routes(self, call: Call) -> Json:
        return listed(call.params, self._apis.find(call.params["ApiId"])["routes"].items())

    def update_route(self, call: Call) -> Json:
        with self._apis.changing(call.params["ApiId"]) as document:
            route = part(document, "routes", "Route", call.params["RouteId"])
            route |= given(call, ROUTE_MEMBERS)
            check_route(call, document, route)
        return route

    def delete_route(self, call: Call) -> Json:
        with self._apis.changing(call.params["ApiId"]) as document:
            part(document, "routes", "Route", call.params["RouteId"])
            del document["routes"][call.params["RouteId"]]
        return {}


def check_route(call: Call, document: Json, route: Json) -> None:
    """The key, that it is the only one, and its target."""
    if route["AuthorizationType"] != "NONE":
        kind = route["AuthorizationType"]
        raise NotEmulated("apigatewayv2", call.operation, f"AuthorizationType={kind}")
    if route["ApiKeyRequired"]:
        raise bad_request("ApiKeyRequired is not supported for HTTP APIs")
    check_route_key(route["RouteKey"])
    for other in document["routes"].values():
        if other["RouteKey"] == route["RouteKey"] and other["RouteId"] != route["RouteId"]:
            raise AwsError(
                "ConflictException",
                f"Route with key {route['RouteKey']} already exists for this API",
                409,
            )
    if "Target" in route:
        kind, _, identifier = route["Target"].partition("/")
        if kind != "integrations" or identifier not in document["integrations"]:
            raise bad_request(f"Target {route['Target']!r} is no integration of this API.")


class Tags:
    """Tags of APIs and stages: arn:aws:apigateway:<region>::/apis/<id>[/stages/<name>]."""

    def __init__(self, apis: Apis) -> None:
        self._apis = apis

    def register(self, service: Service) -> None:
        service.operation("TagResource", "ResourceArn", "Tags")(self.tag_resource)
        service.operation("UntagResource", "ResourceArn", "TagKeys")(self.untag_resource)
        service.operation("GetTags", "ResourceArn")(self.get_tags)

    def tag_resource(self, call: Call) -> Json:
        with self._apis.changing(self._api_of(call)) as document:
            self._tags_of(document, call.params["ResourceArn"]).update(call.params["Tags"])
        return {}

    def untag_resource(self, call: Call) -> Json:
        with self._apis.changing(self._api_of(call)) as document:
            tags = self._tags_of(document, call.params["ResourceArn"])
            for key in call.params["TagKeys"]:
                tags.pop(key, None)
        return {}

    def get_tags(self, call: Call) -> Json:
        return {
            "Tags": self._tags_of(self._apis.find(self._api_of(call)), call.params["ResourceArn"])
        }

    def _tags_of(self, document: Json, arn: str) -> Json:
        words = arn.split("::/apis/", 1)[-1].split("/")
        owner = document["api"]
        if len(words) == 3 and words[1] == "stages":
            owner = part(document, "stages", "Stage", words[2])
        tags: Json = owner["Tags"]
        return tags

    def _api_of(self, call: Call) -> str:
        arn: str = call.params["ResourceArn"]
        if "::/apis/" not in arn:
            raise not_found_arn(arn)
        return arn.split("::/apis/", 1)[1].split("/")[0]


def not_found_arn(arn: str) -> AwsError:
    """NotFoundException for an ARN that is no HTTP API's."""
    return AwsError("NotFoundException", f"Invalid resource ARN {arn}", 404)
