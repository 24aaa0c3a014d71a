"""The Lambda service."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.functions import payloads
from localaws.functions.functions import Functions
from localaws.functions.invocations import Invocations
from localaws.functions.permissions import Permissions
from localaws.functions.resources import FunctionResources
from localaws.functions.tags import Tags
from localaws.functions.versions import Versions


def service(aws: LocalAws) -> Service:
    """The service "lambda"."""
    payloads.install()
    functions = Functions(aws)
    permissions = Permissions(functions)
    aws.authorize.resource_policies["lambda"] = permissions.policy_of
    versions = Versions(functions, permissions)
    built = Service("lambda")
    FunctionResources(functions, versions).register(built)
    Invocations(functions, permissions).register(built)
    permissions.register(built)
    versions.register(built)
    Tags(functions).register(built)
    built.on_start(functions.start)
    built.on_stop(functions.stop)
    return built
