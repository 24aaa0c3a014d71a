"""The operations on training jobs."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.s3.names import split_uri
from localaws.sagemaker import algorithm, archives, images, listing
from localaws.sagemaker.layout import program
from localaws.sagemaker.metrics import definitions
from localaws.sagemaker.names import TRAINING_JOB, arn, check_name, find, validation
from localaws.sagemaker.principals import acting
from localaws.sagemaker.training import TrainingRuns, enter
from localaws.shapes import Json

CHANNEL = "InputDataConfig"
PARAMETERS = (
    "TrainingJobName",
    "HyperParameters",
    "AlgorithmSpecification.TrainingImage",
    "AlgorithmSpecification.TrainingInputMode",
    "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries",
    "AlgorithmSpecification.MetricDefinitions",
    "RoleArn",
    f"{CHANNEL}.ChannelName",
    f"{CHANNEL}.DataSource.S3DataSource.S3DataType",
    f"{CHANNEL}.DataSource.S3DataSource.S3Uri",
    f"{CHANNEL}.DataSource.S3DataSource.S3DataDistributionType",
    f"{CHANNEL}.ContentType",
    f"{CHANNEL}.CompressionType",
    f"{CHANNEL}.RecordWrapperType",
    f"{CHANNEL}.InputMode",
    "OutputDataConfig.S3OutputPath",
    "OutputDataConfig.CompressionType",
    "OutputDataConfig.KmsKeyId",
    "ResourceConfig.InstanceType",
    "ResourceConfig.InstanceCount",
    "ResourceConfig.VolumeSizeInGB",
    # Kept and shown: the volume is this machine's disk, the network is this machine's.
    "ResourceConfig.VolumeKmsKeyId",
    "VpcConfig.Subnets",
    "VpcConfig.SecurityGroupIds",
    "StoppingCondition.MaxRuntimeInSeconds",
    "Tags",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig.S3Uri",
    "CheckpointConfig.LocalPath",
    # SDKs send it always. A script writes there only by smdebug, which is no package here.
    "DebugHookConfig.S3OutputPath",
    "DebugHookConfig.CollectionConfigurations",
    # So is this, by the SDK's Estimator. Nothing is profiled: DescribeTrainingJob says so.
    "ProfilerConfig.DisableProfiler",
    "ProfilerConfig.S3OutputPath",
    "Environment",
    "RetryStrategy",
)
# Parameter path below InputDataConfig: the one value that is emulated.
CHANNEL_VALUES = {
    "CompressionType": "None",
    "RecordWrapperType": "None",
    "InputMode": "File",
}
SOURCE_VALUES = {"S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated"}
FALSE_ONLY = (
    "EnableNetworkIsolation",
    "EnableManagedSpotTraining",
    "EnableInterContainerTrafficEncryption",
)
DAY_SECONDS = 86_400
SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
)


class TrainingJobs:
    """The operations: create, describe, list, stop."""

    def __init__(self, aws: LocalAws, runs: TrainingRuns) -> None:
        self._aws = aws
        self._runs = runs

    def register(self, service: Service) -> None:
        service.operation("CreateTrainingJob", *PARAMETERS)(self.create)
        service.operation("DescribeTrainingJob", "TrainingJobName")(self.describe)
        service.operation("StopTrainingJob", "TrainingJobName")(self.stop)
        service.operation("ListTrainingJobs", *listing.CHANGING)(self.list)
        service.on_start(self._runs.recover)
        service.on_stop(self._runs.close)

    def create(self, call: Call) -> Json:
        request = dict(call.params)
        name = request["TrainingJobName"]
        check_name("TrainingJobName", name)
        check_request(self._aws, call)
        tags = request.pop("Tags", [])
        document = new_document(self._aws, request, tags)
        self._runs.start(name, document)
        return {"TrainingJobArn": document["describe"]["TrainingJobArn"]}

    def describe(self, call: Call) -> Json:
        name = call.params["TrainingJobName"]
        describe: Json = find(self._aws, TRAINING_JOB, name)["describe"]
        return describe

    def stop(self, call: Call) -> None:
        self._runs.stop(call.params["TrainingJobName"])

    def list(self, call: Call) -> Json:
        items = [
            {member: doc["describe"][member] for member in SUMMARY if member in doc["describe"]}
            for _, doc in self._aws.documents.items(TRAINING_JOB)
        ]
        return listing.page(
            call, "TrainingJobSummaries", "TrainingJob", items, status="TrainingJobStatus"
        )


def new_document(aws: LocalAws, request: Json, tags: list[Json]) -> Json:
    """The document of a job that is to be started."""
    request.setdefault("StoppingCondition", {})
    request["StoppingCondition"].setdefault("MaxRuntimeInSeconds", DAY_SECONDS)
    now = aws.clock.now()
    describe = described(request) | {
        "TrainingJobArn": arn(aws, TRAINING_JOB, request["TrainingJobName"]),
        "TrainingJobStatus": "InProgress",
        "CreationTime": now,
    }
    enter(describe, "Starting", now)
    return {"request": request, "describe": describe, "tags": tags}


def described(request: Json) -> Json:
    """The request as DescribeTrainingJob shows it: with what SageMaker fills in."""
    describe = request | dict.fromkeys(FALSE_ONLY, False)
    describe["AlgorithmSpecification"] = {
        "EnableSageMakerMetricsTimeSeries": False,
        **request["AlgorithmSpecification"],
        "MetricDefinitions": definitions(),
    }
    describe["ProfilingStatus"] = "Disabled"
    describe["OutputDataConfig"] = {
        "KmsKeyId": "", "CompressionType": "GZIP", **request["OutputDataConfig"]
    }  # fmt: skip
    return describe


def check_output_key(aws: LocalAws, call: Call, member: str, output: Json) -> None:
    """What a job writes lies under its bucket's key here. `output`: the request's `member`."""
    if not (key := output.get("KmsKeyId")):
        return
    bucket, _ = split_uri(output["S3OutputPath"])
    own = aws.object_store.default_key(bucket)
    if key != own:
        raise refuse(call, f"{member}.KmsKeyId", f"Taken is the bucket's own, {own}.")


def refuse(call: Call, parameter: str, detail: str = "") -> NotEmulated:
    """The refusal of one value."""
    return NotEmulated("sagemaker", call.operation, parameter, detail)


def check_request(aws: LocalAws, call: Call) -> None:
    """Raises for what AWS refuses, and by name for what is not done here."""
    params = call.params
    specified = params.get("AlgorithmSpecification", {})
    if "TrainingImage" not in specified:
        raise refuse(call, "AlgorithmSpecification without TrainingImage")
    images.check_image(
        call.operation, "AlgorithmSpecification.TrainingImage", specified["TrainingImage"]
    )
    if specified.get("MetricDefinitions"):
        raise validation(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please "
            "retry the request without specifying metric definitions."
        )
    if specified["TrainingInputMode"] != "File":
        raise refuse(
            call, f"AlgorithmSpecification.TrainingInputMode={specified['TrainingInputMode']}"
        )
    for member in FALSE_ONLY:
        if params.get(member):
            raise refuse(call, f"{member}=True")
    if params.get("DebugHookConfig", {}).get("CollectionConfigurations"):
        raise refuse(call, "DebugHookConfig.CollectionConfigurations", "There is no debugger.")
    check_resources(call)
    for channel in params.get("InputDataConfig", []):
        check_channel(call, channel)
    names = [channel["ChannelName"] for channel in params.get("InputDataConfig", [])]
    if len(set(names)) < len(names):
        raise validation(f"Channel names must be unique; they are {', '.join(names)}.")
    if params["OutputDataConfig"].get("CompressionType", "GZIP") != "GZIP":
        raise refuse(call, "OutputDataConfig.CompressionType=NONE")
    check_output_key(aws, call, "OutputDataConfig", params["OutputDataConfig"])
    check_uri("OutputDataConfig.S3OutputPath", params["OutputDataConfig"]["S3OutputPath"])
    if "CheckpointConfig" in params:
        check_uri("CheckpointConfig.S3Uri", params["CheckpointConfig"]["S3Uri"])
        local = params["CheckpointConfig"].get("LocalPath", "/opt/ml/checkpoints")
        if local.rstrip("/") != "/opt/ml/checkpoints":
            raise refuse(call, f"CheckpointConfig.LocalPath={local}")
    check_program(aws, call)


def check_resources(call: Call) -> None:
    """One instance: this machine."""
    resources = call.params.get("ResourceConfig")
    if resources is None:
        raise validation("ResourceConfig is required.")
    if resources.get("InstanceCount") != 1:
        raise refuse(call, f"ResourceConfig.InstanceCount={resources.get('InstanceCount')}")
    if "InstanceType" not in resources:
        raise validation("ResourceConfig.InstanceType is required.")


def check_channel(call: Call, channel: Json) -> None:
    """Objects below a prefix, all of them, as files."""
    for member, value in CHANNEL_VALUES.items():
        if channel.get(member, value) != value:
            raise refuse(call, f"InputDataConfig.{member}={channel[member]}")
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise refuse(call, "InputDataConfig.DataSource without S3DataSource")
    for member, value in SOURCE_VALUES.items():
        if source.get(member, value) != value:
            raise refuse(call, f"InputDataConfig.DataSource.S3DataSource.{member}={source[member]}")
    check_uri("InputDataConfig.DataSource.S3DataSource.S3Uri", source["S3Uri"])


def check_uri(parameter: str, uri: str) -> None:
    """ValidationException for what is no S3 address."""
    try:
        split_uri(uri)
    except ValueError as problem:
        raise validation(f"{parameter}: {problem}") from problem


def check_program(aws: LocalAws, call: Call) -> None:
    """A script, with the packages the image has, or the image's algorithm."""
    entry, source = program(call.params)
    if not entry and not source:
        algorithm.check_training(call)
        return
    if not entry or not source:
        raise refuse(
            call,
            "HyperParameters with one of sagemaker_program and sagemaker_submit_directory",
            "A script needs both, the image's algorithm none.",
        )
    check_uri("sagemaker_submit_directory", str(source))
    try:
        names = archives.top_level(
            acting(aws, call.params["RoleArn"], call.params["TrainingJobName"]).objects.path(
                *split_uri(str(source))
            )
        )
    except (AwsError, OSError):
        return  # the job will fail and say so, as on AWS
    if "requirements.txt" in names:
        raise refuse(
            call,
            "HyperParameters.sagemaker_submit_directory",
            "Its requirements.txt is not installed.",
        )
