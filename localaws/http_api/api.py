"""The API Gateway v2 API, and the route under which its APIs are served."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.http_api.resources import ApiIntegrations, ApiResources, Routes, Tags
from localaws.http_api.serving import HttpApiServer
from localaws.http_api.stages import Stages
from localaws.http_api.store import PREFIX, Apis


def service(aws: LocalAws) -> Service:
    """The service "apigatewayv2"."""
    apis = Apis(aws)
    built = Service("apigatewayv2")
    for part in (ApiResources(apis), ApiIntegrations(apis), Routes(apis), Stages(apis), Tags(apis)):
        part.register(built)
    built.routes[PREFIX] = HttpApiServer(apis)
    built.public.add(PREFIX)
    return built
