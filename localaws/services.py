"""The services of this local AWS, in the order they start."""

from __future__ import annotations

from localaws.athena import api as athena
from localaws.autoscaling import api as autoscaling
from localaws.cloudformation import api as cloudformation
from localaws.cloudwatch import api as cloudwatch
from localaws.core.aws import Factory
from localaws.databrew import api as databrew
from localaws.ecr import api as ecr
from localaws.events import api as events
from localaws.functions import api as functions
from localaws.glue import api as glue
from localaws.http_api import api as http_api
from localaws.iam import api as iam
from localaws.kms import api as kms
from localaws.logs import api as logs
from localaws.plain import api as plain
from localaws.s3 import api as s3
from localaws.sagemaker import api as sagemaker
from localaws.sagemaker_runtime import api as sagemaker_runtime
from localaws.scheduler import api as scheduler
from localaws.secretsmanager import api as secretsmanager
from localaws.sns import api as sns
from localaws.ssm import api as ssm
from localaws.stepfunctions import api as stepfunctions
from localaws.sts import api as sts

SERVICES: dict[str, Factory] = {
    "s3": s3.service,
    "kms": kms.service,
    "iam": iam.service,
    "sts": sts.service,
    **plain.FACTORIES,
    "logs": logs.service,
    "sns": sns.service,
    "ssm": ssm.service,
    "ecr": ecr.service,
    "secretsmanager": secretsmanager.service,
    "cloudwatch": cloudwatch.service,
    "events": events.service,
    "scheduler": scheduler.service,
    "glue": glue.service,
    "athena": athena.service,
    "databrew": databrew.service,
    "lambda": functions.service,
    "sagemaker": sagemaker.service,
    "sagemaker-runtime": sagemaker_runtime.service,
    "application-autoscaling": autoscaling.service,
    "apigatewayv2": http_api.service,
    "stepfunctions": stepfunctions.service,
    "cloudformation": cloudformation.service,
}


def factories() -> list[Factory]:
    """Those of all services, in their order."""
    return list(SERVICES.values())
