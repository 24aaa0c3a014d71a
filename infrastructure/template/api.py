"""The HTTP API before the endpoint."""

from __future__ import annotations

import json

from infrastructure.names import API_LOGS
from infrastructure.template.buckets import site_url
from infrastructure.template.protection import KEY
from infrastructure.words import Json, attribute, ref, resource, sub, when

LOG_DAYS = 90
ACCESS_LOG = json.dumps(
    {
        name: f"$context.{variable}"
        for name, variable in (
            *(("request_id", "requestId"), ("time", "requestTime"), ("ip", "identity.sourceIp")),
            *(("route", "routeKey"), ("path", "path"), ("status", "status")),
            *(("bytes", "responseLength"), ("error", "integrationErrorMessage")),
        )
    }
)


def parameters() -> Json:
    def text(description: str, **more: object) -> Json:
        return {"Type": "String", "Description": description, **more}

    return {
        "ApiAuthorizer": text("Who may call the API", AllowedValues=["none", "iam", "jwt"]),
        "JwtIssuer": text("Issuer of the tokens (https://...)"),
        "JwtAudience": text("Audience of the tokens"),
        "ApiConcurrency": {
            "Type": "Number",
            "Description": "Most requests at a time; 0: as many as the account has",
            "MinValue": 0,
        },
    }


def conditions() -> Json:
    return {
        "HasTokens": {"Fn::Equals": [ref("ApiAuthorizer"), "jwt"]},
        "HasSignatures": {"Fn::Equals": [ref("ApiAuthorizer"), "iam"]},
        "HasApiConcurrency": {"Fn::Not": [{"Fn::Equals": [ref("ApiConcurrency"), "0"]}]},
    }


def api() -> Json:
    """The HTTP API before the endpoint."""
    routes = {
        "PredictRoute": "POST /predict",
        "CustomersRoute": "GET /customers",
        "NextBasketRoute": "GET /customers/{customer_id}/next-basket",
        "HealthRoute": "GET /health",
        "ModelRoute": "GET /model",
        "OpenApiRoute": "GET /openapi.json",
    }
    return {
        "Api": resource(
            "AWS::ApiGatewayV2::Api",
            {
                "Name": sub("${AWS::StackName}"),
                "ProtocolType": "HTTP",
                "CorsConfiguration": when(
                    "HasSite",
                    {
                        "AllowOrigins": [site_url()],
                        "AllowMethods": ["GET", "POST", "OPTIONS"],
                        "AllowHeaders": ["content-type", "accept", "authorization"],
                        "MaxAge": 3600,
                    },
                    ref("AWS::NoValue"),
                ),
            },
        ),
        "ApiIntegration": resource(
            "AWS::ApiGatewayV2::Integration",
            {
                "ApiId": ref("Api"),
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": attribute("Predict", "Arn"),
                "PayloadFormatVersion": "2.0",
            },
        ),
        **{
            name: resource(
                "AWS::ApiGatewayV2::Route",
                {
                    "ApiId": ref("Api"),
                    "RouteKey": key,
                    "Target": sub("integrations/${ApiIntegration}"),
                    "AuthorizationType": when(
                        "HasTokens", "JWT", when("HasSignatures", "AWS_IAM", "NONE")
                    ),
                    "AuthorizerId": when("HasTokens", ref("ApiTokens"), ref("AWS::NoValue")),
                },
            )
            for name, key in routes.items()
        },
        "ApiTokens": resource(
            "AWS::ApiGatewayV2::Authorizer",
            {
                "ApiId": ref("Api"),
                "Name": "tokens",
                "AuthorizerType": "JWT",
                "IdentitySource": ["$request.header.Authorization"],
                "JwtConfiguration": {
                    "Issuer": ref("JwtIssuer"),
                    "Audience": [ref("JwtAudience")],
                },
            },
            Condition="HasTokens",
        ),
        "ApiLogs": resource(
            "AWS::Logs::LogGroup",
            {"LogGroupName": sub(API_LOGS), "RetentionInDays": LOG_DAYS, "KmsKeyId": KEY},
        ),
        "ApiStage": resource(
            "AWS::ApiGatewayV2::Stage",
            {
                "ApiId": ref("Api"),
                "StageName": "$default",
                "AutoDeploy": True,
                "AccessLogSettings": {
                    "DestinationArn": sub(
                        "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}"
                        ":log-group:${ApiLogs}"
                    ),
                    "Format": ACCESS_LOG,
                },
                "DefaultRouteSettings": {"ThrottlingBurstLimit": 100, "ThrottlingRateLimit": 50},
            },
        ),
        "ApiPermission": resource(
            "AWS::Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": ref("Predict"),
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": sub(
                    "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/*"
                ),
            },
        ),
    }
