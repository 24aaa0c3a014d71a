"""The /opt/ml contract of a training job, below a folder of its own instead of /opt/ml.

docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html and the
SM_* variables of the toolkit in the image (github.com/aws/sagemaker-containers, `_env.py`).
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.core.jobs.job import JobFailed
from localaws.s3.names import split_uri
from localaws.shapes import Json

HOST = "algo-1"
TUNING_OBJECTIVE = "_tuning_objective_metric"  # of a tuning job's training jobs


class InputError(JobFailed):
    """The job cannot start; the message becomes its FailureReason."""


@dataclass(frozen=True)
class Layout:
    """The folders of one job."""

    base: Path

    @property
    def code(self) -> Path:
        return self.base / "code"

    @property
    def config(self) -> Path:
        return self.base / "input" / "config"

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def output(self) -> Path:
        return self.base / "output"

    @property
    def data(self) -> Path:
        return self.output / "data"

    @property
    def intermediate(self) -> Path:
        return self.output / "intermediate"

    @property
    def failure(self) -> Path:
        return self.output / "failure"

    @property
    def checkpoints(self) -> Path:
        return self.base / "checkpoints"

    def channel(self, name: str) -> Path:
        return self.base / "input" / "data" / name

    def make(self) -> None:
        """All folders, empty."""
        shutil.rmtree(self.base, ignore_errors=True)
        for folder in (self.code, self.config, self.model, self.data, self.intermediate):
            folder.mkdir(parents=True)
        self.checkpoints.mkdir()


def decoded(hyperparameters: dict[str, str]) -> Json:
    """The values as the toolkit reads them: JSON where they are JSON, else the text."""
    values: Json = {}
    for name, text in hyperparameters.items():
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values


def is_framework(name: str) -> bool:
    """Whether the toolkit keeps the hyperparameter for itself."""
    return name.startswith("sagemaker_") or name == TUNING_OBJECTIVE


def program(request: Json) -> tuple[str | None, str | None]:
    """(entry point, source archive) of a script mode job; None where it has none."""
    values = decoded(request.get("HyperParameters", {}))
    variables = request.get("Environment", {})
    return (
        values.get("sagemaker_program") or variables.get("SAGEMAKER_PROGRAM"),
        values.get("sagemaker_submit_directory") or variables.get("SAGEMAKER_SUBMIT_DIRECTORY"),
    )


def arguments(hyperparameters: Json) -> list[str]:
    """`--name value` for each hyperparameter, sorted by name, as the toolkit passes them."""
    words: list[str] = []
    for name in sorted(hyperparameters):
        value = hyperparameters[name]
        if isinstance(value, dict):
            value = ",".join(f"{key}={item}" for key, item in sorted(value.items()))
        words += [f"--{name}" if len(name) > 1 else f"-{name}", str(value)]
    return words


def input_config(request: Json) -> Json:
    """inputdataconfig.json."""
    return {
        channel["ChannelName"]: {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
        | ({"ContentType": channel["ContentType"]} if "ContentType" in channel else {})
        for channel in request.get("InputDataConfig", [])
    }


def resource_config(request: Json) -> Json:
    """resourceconfig.json."""
    kind = request["ResourceConfig"]["InstanceType"]
    return {
        "current_host": HOST,
        "current_instance_type": kind,
        "current_group_name": "homogeneousCluster",
        "hosts": [HOST],
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": kind, "hosts": [HOST]}
        ],
        "network_interface_name": "eth0",
    }


def write_config(layout: Layout, request: Json) -> None:
    """The three files of input/config."""
    files = {
        "hyperparameters": request.get("HyperParameters", {}),
        "inputdataconfig": input_config(request),
        "resourceconfig": resource_config(request),
    }
    for name, content in files.items():
        (layout.config / f"{name}.json").write_text(json.dumps(content))


def environment(layout: Layout, request: Json, job_arn: str) -> dict[str, str]:
    """The variables that the service and the toolkit set."""
    everything = decoded(request.get("HyperParameters", {}))
    user = {name: value for name, value in everything.items() if not is_framework(name)}
    framework = {name: value for name, value in everything.items() if is_framework(name)}
    entry, source = program(request)
    module = str(entry or "").removesuffix(".py")
    channels = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    shape = {
        "hosts": [HOST],
        "network_interface_name": "eth0",
        "hps": user,
        "user_entry_point": entry or "",
        "framework_params": framework,
        "resource_config": resource_config(request),
        "input_data_config": input_config(request),
        "output_data_dir": layout.data,
        "channels": sorted(channels),
        "current_host": HOST,
        "module_name": module,
        "log_level": 20,
        "framework_module": "sagemaker_xgboost_container.training:main",
        "input_dir": layout.base / "input",
        "input_config_dir": layout.config,
        "output_dir": layout.output,
        "output_intermediate_dir": layout.intermediate,
        "num_cpus": os.cpu_count() or 1,
        "num_gpus": 0,
        "model_dir": layout.model,
        "module_dir": source or "",
        "user_args": arguments(user),
    }
    variables = {f"SM_{name.upper()}": as_text(value) for name, value in shape.items()}
    variables |= {
        f"SM_CHANNEL_{name.upper()}": str(layout.channel(name)) for name in sorted(channels)
    }
    variables |= {f"SM_HP_{name.upper()}": as_text(value) for name, value in user.items()}
    variables["SM_TRAINING_ENV"] = json.dumps(
        shape | {"job_name": request["TrainingJobName"]}, default=str
    )
    variables["SM_CHECKPOINT_CONFIG_LOCAL_PATH"] = str(layout.checkpoints)
    variables["TRAINING_JOB_NAME"] = request["TrainingJobName"]
    variables["TRAINING_JOB_ARN"] = job_arn
    return variables


def as_text(value: object) -> str:
    """A variable's value: JSON for lists and objects, else the text."""
    return json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)


def relative_name(key: str, prefix: str) -> str:
    """The file name below the channel's folder of an object that `prefix` selects.

    Names are relative to the last folder of the prefix, or below the prefix when it is a folder.
    """
    rest = key[len(prefix) :]
    if not rest:
        return key.rsplit("/", 1)[-1]
    if prefix == "" or prefix.endswith("/") or rest.startswith("/"):
        return rest.lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def link_channel(aws: LocalAws, folder: Path, channel: Json) -> int:
    """Puts a channel's objects into its folder without copying them; the number of files.

    Hard links: a stored file is replaced by renaming and never rewritten, so that an object that
    is overwritten or deleted meanwhile stays readable for this job, as a download would.
    """
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    bucket, prefix = split_uri(uri)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for stored in aws.objects.read(bucket, prefix):
        name = relative_name(stored.key, prefix)
        if stored.key.endswith("/") or not name:
            continue  # a folder marker
        target = folder / name
        if folder not in target.resolve().parents:
            raise InputError(f"ClientError: Data download failed: key {stored.key!r} is no path.")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(stored.path, target)
        except OSError:  # another file system
            shutil.copyfile(stored.path, target)
        count += 1
    if count == 0:
        raise InputError(
            f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in '
            "input data source. Please ensure that the bucket exists in the selected region "
            f"({aws.region}), that objects exist under that S3 prefix, and that the role has "
            "s3:ListBucket permissions on the bucket."
        )
    return count
