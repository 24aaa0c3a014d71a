"""The SageMaker API."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.functions.logs import LogShipper
from localaws.sagemaker.training import TrainingJobs
from localaws.sagemaker.training_api import register_training


def service(aws: LocalAws) -> Service:
    """The service "sagemaker"."""
    logs = LogShipper(aws)
    sagemaker = Service("sagemaker")
    jobs = TrainingJobs(aws, logs)
    register_training(sagemaker, aws, jobs)
    sagemaker.on_start(jobs.restore)
    sagemaker.on_stop(logs.flush)
    return sagemaker
