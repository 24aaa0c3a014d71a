"""The API Gateway v2 API, and the route under which its APIs are served."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.http_api.resources import (
    register_apis,
    register_integrations,
    register_routes,
    register_tags,
)
from localaws.http_api.serving import HttpApiGateway
from localaws.http_api.stages import register_stages
from localaws.http_api.store import PREFIX, Apis


def service(aws: LocalAws) -> Service:
    """The service "apigatewayv2"."""
    gateway = Service("apigatewayv2")
    apis = Apis(aws)
    for register in (
        register_apis,
        register_integrations,
        register_routes,
        register_stages,
        register_tags,
    ):
        register(gateway, apis)
    gateway.routes[PREFIX] = HttpApiGateway(apis)
    return gateway
