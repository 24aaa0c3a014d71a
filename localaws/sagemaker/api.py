"""The SageMaker API."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.sagemaker.endpoints import Endpoints, SageMakerService
from localaws.sagemaker.endpoints_api import EndpointOperations
from localaws.sagemaker.models import EndpointConfigs, Models
from localaws.sagemaker.registry import Registry
from localaws.sagemaker.tags import Tags
from localaws.sagemaker.training import TrainingRuns
from localaws.sagemaker.training_api import TrainingJobs
from localaws.sagemaker.transform import TransformRuns
from localaws.sagemaker.transform_api import TransformJobs
from localaws.sagemaker.tuning import TuningRuns
from localaws.sagemaker.tuning_api import TuningJobs


def service(aws: LocalAws) -> Service:
    """The service "sagemaker"."""
    logs = aws.logs
    sagemaker = SageMakerService("sagemaker")
    sagemaker.endpoints = Endpoints(aws, logs)
    trainings = TrainingRuns(aws, logs)
    TrainingJobs(aws, trainings).register(sagemaker)
    TuningJobs(aws, TuningRuns(aws, trainings)).register(sagemaker)
    TransformJobs(aws, TransformRuns(aws, logs)).register(sagemaker)
    EndpointOperations(aws, sagemaker.endpoints).register(sagemaker)
    for part in (Models(aws), EndpointConfigs(aws), Registry(aws), Tags(aws)):
        part.register(sagemaker)
    sagemaker.on_start(sagemaker.endpoints.restore)
    sagemaker.on_stop(sagemaker.endpoints.stop)
    return sagemaker
