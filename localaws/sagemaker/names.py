"""Names, ARNs and the errors about them, worded as SageMaker words them."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager

from localaws.core.aws import LocalAws
from localaws.errors import AwsError
from localaws.shapes import Json

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
TRAINING_JOB = "sagemaker-training-job"
TUNING_JOB = "sagemaker-tuning-job"
TRANSFORM_JOB = "sagemaker-transform-job"
MODEL = "sagemaker-model"
ENDPOINT_CONFIG = "sagemaker-endpoint-config"
ENDPOINT = "sagemaker-endpoint"
MODEL_PACKAGE_GROUP = "sagemaker-model-package-group"
MODEL_PACKAGE = "sagemaker-model-package"

# Kind of document: (ARN part, words in messages).
WORDS = {
    TRAINING_JOB: ("training-job", "training job"),
    TUNING_JOB: ("hyper-parameter-tuning-job", "hyperparameter tuning job"),
    TRANSFORM_JOB: ("transform-job", "transform job"),
    MODEL: ("model", "model"),
    ENDPOINT_CONFIG: ("endpoint-config", "endpoint configuration"),
    ENDPOINT: ("endpoint", "endpoint"),
    MODEL_PACKAGE_GROUP: ("model-package-group", "model package group"),
}


def arn(aws: LocalAws, kind: str, name: str) -> str:
    """The ARN of a resource. SageMaker lowers the name's case in it."""
    part = "model-package" if kind == MODEL_PACKAGE else WORDS[kind][0]
    return f"arn:aws:sagemaker:{aws.region}:{aws.account}:{part}/{name.lower()}"


def validation(message: str) -> AwsError:
    """A ValidationException."""
    return AwsError("ValidationException", message)


def check_name(parameter: str, name: str, longest: int = 63) -> None:
    """ValidationException unless at most `longest` letters, digits and inner hyphens."""
    if not NAME.fullmatch(name) or len(name) > longest:
        member = parameter[0].lower() + parameter[1:]
        raise validation(
            f"1 validation error detected: Value '{name}' at '{member}' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: "
            f"^[a-zA-Z0-9](-*[a-zA-Z0-9]){{0,{longest - 1}}}"
        )


def find(aws: LocalAws, kind: str, name: str) -> Json:
    """The document, or SageMaker's error for a name it does not know."""
    document = aws.documents.get(kind, name)
    if document is None:
        raise _unknown(aws, kind, name)
    return document


def changing(aws: LocalAws, kind: str, name: str) -> AbstractContextManager[Json]:
    """The document, to be changed in one transaction; the same error as `find`'s."""
    return aws.documents.changing(kind, name, _unknown(aws, kind, name))


def _unknown(aws: LocalAws, kind: str, name: str) -> AwsError:
    if kind == TRAINING_JOB:
        return validation("Requested resource not found.")
    if kind == TUNING_JOB:
        return validation(f"Could not find requested job with name: {name}")
    return validation(f'Could not find {WORDS[kind][1]} "{arn(aws, kind, name)}".')


def insert(aws: LocalAws, kind: str, name: str, document: Json) -> None:
    """Keeps a new document; the error of a second one with the name."""
    if aws.documents.insert(kind, name, document):
        return
    there = arn(aws, kind, name)
    if kind == TRAINING_JOB:
        raise AwsError(
            "ResourceInUse",
            "Training job names must be unique within an AWS account and region, and a training "
            f"job with this name already exists ({there})",
        )
    if kind == TUNING_JOB:
        raise AwsError(
            "ResourceInUse",
            f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different"
            " name.",
        )
    if kind == TRANSFORM_JOB:
        raise AwsError("ResourceInUse", f"Job name must be unique; {there} already exists.")
    raise validation(f'Cannot create already existing {WORDS[kind][1]} "{there}".')
