"""The services of this local AWS, in the order they start."""

from __future__ import annotations

import importlib
import importlib.util

from localaws.core.aws import Factory

MODULES = (
    "localaws.s3.api",
    "localaws.plain.api",
    "localaws.cloudwatch.api",
    "localaws.events.api",
    "localaws.scheduler.api",
    "localaws.glue.api",
    "localaws.athena.api",
    "localaws.databrew.api",
    "localaws.functions.api",
    "localaws.sagemaker.api",
    "localaws.sagemaker_runtime.api",
    "localaws.http_api.api",
    "localaws.stepfunctions.api",
    "localaws.cloudformation.api",
)


def factories() -> list[Factory]:
    """Each module's `services(aws)` (several) or `service(aws)` (one)."""
    found: list[Factory] = []
    for name in MODULES:
        if importlib.util.find_spec(name.rsplit(".", 1)[0]) is None:
            continue
        if importlib.util.find_spec(name) is None:
            continue
        module = importlib.import_module(name)
        found += list(getattr(module, "FACTORIES", None) or [module.service])
    return found
