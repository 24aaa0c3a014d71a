"""The operations on transform jobs."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.sagemaker import joining, listing
from localaws.sagemaker.names import MODEL, TRANSFORM_JOB, arn, check_name, find, validation
from localaws.sagemaker.training_api import check_output_key, check_uri, refuse
from localaws.sagemaker.transform import TransformRuns
from localaws.shapes import Json

SOURCE = "TransformInput.DataSource.S3DataSource"
PARAMETERS = (
    *("TransformJobName", "ModelName", "MaxConcurrentTransforms", "MaxPayloadInMB"),
    *("BatchStrategy", "Environment", f"{SOURCE}.S3DataType", f"{SOURCE}.S3Uri"),
    *("TransformInput.ContentType", "TransformInput.CompressionType", "TransformInput.SplitType"),
    *("TransformOutput.S3OutputPath", "TransformOutput.Accept", "TransformOutput.AssembleWith"),
    *("TransformOutput.KmsKeyId", "TransformResources.InstanceType"),
    *("TransformResources.InstanceCount", "DataProcessing.InputFilter"),
    *("DataProcessing.OutputFilter", "DataProcessing.JoinSource", "Tags"),
)
TAKEN = {
    "TransformInput.SplitType": ("None", "Line"),
    f"{SOURCE}.S3DataType": ("S3Prefix",),
}
CSV = "text/csv"
MOST_MB = 100  # MaxConcurrentTransforms * MaxPayloadInMB
SUMMARY = (
    *("TransformJobName", "TransformJobArn", "CreationTime", "TransformEndTime"),
    *("TransformJobStatus", "FailureReason"),
)


class TransformJobs:
    """The operations: create, describe, list, stop."""

    def __init__(self, aws: LocalAws, runs: TransformRuns) -> None:
        self._aws = aws
        self._runs = runs

    def register(self, service: Service) -> None:
        service.operation("CreateTransformJob", *PARAMETERS)(self.create)
        service.operation("DescribeTransformJob", "TransformJobName")(self.describe)
        service.operation("StopTransformJob", "TransformJobName")(self.stop)
        service.operation("ListTransformJobs", *listing.CHANGING)(self.list)
        service.on_start(self._runs.recover)
        service.on_stop(self._runs.close)

    def create(self, call: Call) -> Json:
        request = dict(call.params)
        name = request["TransformJobName"]
        check_name("TransformJobName", name)
        model = find(self._aws, MODEL, request["ModelName"])["describe"]
        tags = request.pop("Tags", [])
        describe = filled(request)
        check_request(self._aws, call, describe)
        describe |= {
            "TransformJobArn": arn(self._aws, TRANSFORM_JOB, name),
            "TransformJobStatus": "InProgress",
            "CreationTime": self._aws.clock.now(),
        }
        # A copy: the model may be deleted meanwhile.
        plan = {
            "container": model["PrimaryContainer"],
            "role": model.get("ExecutionRoleArn"),
            "network": model.get("VpcConfig"),
        }
        self._runs.start(name, {"describe": describe, "plan": plan, "tags": tags})
        return {"TransformJobArn": describe["TransformJobArn"]}

    def describe(self, call: Call) -> Json:
        name = call.params["TransformJobName"]
        describe: Json = find(self._aws, TRANSFORM_JOB, name)["describe"]
        return describe

    def stop(self, call: Call) -> None:
        self._runs.stop(call.params["TransformJobName"])

    def list(self, call: Call) -> Json:
        items = []
        for _, document in self._aws.documents.items(TRANSFORM_JOB):
            describe = document["describe"]
            changed = describe.get("TransformEndTime", describe["CreationTime"])
            items.append(
                {member: describe[member] for member in SUMMARY if member in describe}
                | {"LastModifiedTime": changed}
            )
        return listing.page(
            call, "TransformJobSummaries", "TransformJob", items, status="TransformJobStatus"
        )


def filled(request: Json) -> Json:
    """The request with SageMaker's defaults."""
    return {
        "MaxConcurrentTransforms": 1,
        "MaxPayloadInMB": 6,
        "BatchStrategy": "MultiRecord",
        **request,
        "TransformInput": {
            "CompressionType": "None", "SplitType": "None", **request["TransformInput"]
        },
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": "", **request["TransformOutput"]},
    }  # fmt: skip


def check_request(aws: LocalAws, call: Call, request: Json) -> None:
    """Raises for what AWS refuses, and by name for what is not done here."""
    given, wanted = request["TransformInput"], request["TransformOutput"]
    source = given["DataSource"].get("S3DataSource")
    if source is None:
        raise validation("TransformInput.DataSource.S3DataSource is required.")
    values = {
        "TransformInput.SplitType": given["SplitType"],
        f"{SOURCE}.S3DataType": source["S3DataType"],
    }
    for parameter, value in values.items():
        if value not in TAKEN[parameter]:
            raise refuse(call, f"{parameter}={value}")
    count = request["TransformResources"]["InstanceCount"]
    if count != 1:
        raise refuse(call, f"TransformResources.InstanceCount={count}")
    check_uri(f"{SOURCE}.S3Uri", source["S3Uri"])
    check_uri("TransformOutput.S3OutputPath", wanted["S3OutputPath"])
    check_output_key(aws, call, "TransformOutput", wanted)
    if request["MaxConcurrentTransforms"] * request["MaxPayloadInMB"] > MOST_MB:
        raise validation(f"MaxConcurrentTransforms * MaxPayloadInMB must not exceed {MOST_MB} MB.")
    check_processing(call, request)


def check_processing(call: Call, request: Json) -> None:
    """Columns of CSV lines are chosen and joined here; of nothing else."""
    processing = request.get("DataProcessing", {})
    paths = {name: processing.get(name, "$") for name in ("InputFilter", "OutputFilter")}
    for name, path in paths.items():
        if not joining.PATH.fullmatch(path):
            raise refuse(call, f"DataProcessing.{name}={path}", "It has $, $[1:] and $[0,-1].")
    join = processing.get("JoinSource", "None") == "Input"
    if not join and set(paths.values()) == {"$"}:
        return
    given, wanted = request["TransformInput"], request["TransformOutput"]
    kinds = {given.get("ContentType", ""), wanted.get("Accept", CSV)}
    if {kind.partition(";")[0] for kind in kinds} != {CSV}:
        raise refuse(call, f"DataProcessing of {' and '.join(sorted(kinds))}", f"It has {CSV}.")
    if (given["SplitType"], wanted["AssembleWith"]) != ("Line", "Line"):
        raise validation("DataProcessing needs SplitType and AssembleWith to be Line.")
