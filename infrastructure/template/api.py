"""The HTTP API before the endpoint."""

from __future__ import annotations

from infrastructure.words import Json, attribute, ref, resource, sub


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
                "CorsConfiguration": {
                    "AllowOrigins": [attribute("Site", "WebsiteURL")],
                    "AllowMethods": ["GET", "POST", "OPTIONS"],
                    "AllowHeaders": ["content-type", "accept"],
                    "MaxAge": 3600,
                },
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
                },
            )
            for name, key in routes.items()
        },
        "ApiStage": resource(
            "AWS::ApiGatewayV2::Stage",
            {
                "ApiId": ref("Api"),
                "StageName": "$default",
                "AutoDeploy": True,
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
