"""What CloudFormation is asked for: the template's parameters for the settings and packages."""

from __future__ import annotations

from collections.abc import Sequence

from configuration.connection import Connection
from configuration.settings import Settings
from infrastructure import code_bucket, names, packages, releases
from infrastructure.stack import Say
from infrastructure.words import Json
from workflows.protection import Protection


def upload(connection: Connection, say: Say) -> tuple[list[packages.Package], Json]:
    """Puts packages and template into the code bucket; (packages, request for a change set)."""
    bucket = code_bucket.ensure(connection)
    built, stack, request = prepared(connection)
    code_bucket.upload(connection, bucket, [*built, stack], say)
    return built, request


def prepared(connection: Connection) -> tuple[list[packages.Package], packages.Package, Json]:
    """(packages, the template's own, the change set's request once they are uploaded)."""
    settings, bucket = connection.settings, names.named(names.CODE, connection)
    protection = Protection(
        settings.kms_key,
        settings.vpc_subnets,
        settings.vpc_security_groups,
        serverless=settings.endpoint == "serverless",
        capture_percent=settings.capture_percent,
    )
    built, stack = packages.build(settings.source, protection), packages.of_template()
    parameters = stack_parameters(settings, bucket, built)
    release = releases.named(connection, bucket, [parameters, stack.key])
    built = releases.placed(built, release)
    parameters = stack_parameters(settings, bucket, built) | {"Release": release.id}
    stage = {"stage": settings.stage} if settings.stage else {}
    tags = {"application": "rebuy", **stage, **settings.tags}
    request = {
        "StackName": settings.stack_name,
        "TemplateURL": code_bucket.url(connection, bucket, stack.key),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    return built, stack, request


def stack_parameters(
    settings: Settings, bucket: str, built: Sequence[packages.Package]
) -> dict[str, str]:
    """The template's parameters for these settings and packages."""
    return {
        **{package.parameter: package.key for package in built},
        "CodeBucket": bucket,
        "DefinitionSha256": definition(built).sha256,
        "DatabaseName": settings.database_name,
        "FiveTables": "raw" if settings.source is None else "mapped",
        "TrainingInstanceType": settings.training_instance_type,
        "EndpointKind": settings.endpoint,
        "EndpointInstanceType": settings.endpoint_instance_type,
        "EndpointMemoryMegabytes": str(settings.endpoint_memory_megabytes),
        "EndpointConcurrency": str(settings.endpoint_concurrency),
        "EndpointInstancesMin": str(settings.endpoint_instances_min),
        "EndpointInstancesMax": str(settings.endpoint_instances_max),
        "EndpointRequestsPerMinute": str(settings.endpoint_requests_per_minute),
        "EndpointCanaryPercent": str(settings.endpoint_canary_percent),
        "EndpointCanaryMinutes": str(settings.endpoint_canary_minutes),
        "CapturePercent": str(settings.capture_percent),
        "QueryLimitBytes": str(settings.query_limit_bytes),
        "PermissionsBoundary": settings.permissions_boundary,
        "KmsKey": settings.kms_key,
        "VpcSubnets": ",".join(settings.vpc_subnets),
        "VpcSecurityGroups": ",".join(settings.vpc_security_groups),
        "VpcFirstSubnet": settings.vpc_subnets[0] if settings.vpc_subnets else "",
        "VpcAvailabilityZone": settings.vpc_availability_zone,
        **_database(settings),
        "KeepRunsDays": str(settings.keep_runs_days),
        "SiteKind": settings.site,
        "ApiAuthorizer": settings.api_authorizer,
        "JwtIssuer": settings.jwt_issuer,
        "JwtAudience": settings.jwt_audience,
        "ApiConcurrency": str(settings.api_concurrency),
        "UploadTrigger": settings.upload_trigger,
        "SettleSeconds": str(settings.settle_seconds),
        "ScheduleState": settings.schedule_state,
        "ScheduleExpression": settings.schedule_expression,
        "ScheduleTimezone": settings.schedule_timezone,
        "NotificationEmail": settings.notification_email,
    }


def _database(settings: Settings) -> dict[str, str]:
    one = settings.database
    if one is None:
        return {"DatabaseUrl": ""}
    return {
        "DatabaseUrl": one.url,
        "DatabaseSecret": one.secret.partition(":secret:")[2],
        "DatabaseOrders": one.orders,
        "DatabaseOrderProducts": one.order_products,
        "DatabaseTls": "true" if one.tls else "false",
        "DatabaseDriver": one.driver,
    }


def definition(built: Sequence[packages.Package]) -> packages.Package:
    return next(package for package in built if package.parameter == "DefinitionKey")
