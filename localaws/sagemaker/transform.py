"""Batch transforms: a model's server is started, every object's records are put to it, and the
answers are stored beside each other as they came.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

import gzip
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.core.jobs.job import Job, JobFailed
from localaws.core.jobs.kind import TRANSFORM
from localaws.core.jobs.runner import Ending, JobRunner, Outcome
from localaws.core.log_shipping import LogShipper
from localaws.errors import AwsError
from localaws.s3.names import split_uri
from localaws.sagemaker import joining
from localaws.sagemaker.layout import relative_name
from localaws.sagemaker.model_process import ModelProcess, NotServing, Serves, unpack
from localaws.sagemaker.names import TRANSFORM_JOB, find, insert, validation
from localaws.sagemaker.principals import acting
from localaws.shapes import Json

LOG_GROUP = "/aws/sagemaker/TransformJobs"
FAILURE_CHARACTERS = 1024
MB = 1 << 20
STATES = {
    Outcome.SUCCEEDED: "Completed",
    Outcome.FAILED: "Failed",
    Outcome.STOPPED: "Stopped",
    Outcome.TIMED_OUT: "Stopped",
}


class TransformRuns:
    """Starts, watches and stops jobs. A job's document has `describe` and the model's `plan`."""

    def __init__(self, aws: LocalAws, logs: LogShipper) -> None:
        self._aws = aws
        self._logs = logs
        self._runner = JobRunner(aws, TRANSFORM, self)

    def start(self, name: str, document: Json) -> None:
        """Runs a new job with this document. Raises ResourceInUse for a name that is taken."""
        self._runner.start(name, {}, lambda: insert(self._aws, TRANSFORM_JOB, name, document))

    def recover(self) -> None:
        self._runner.recover()

    def close(self) -> None:
        self._runner.close()

    def stop(self, name: str) -> None:
        """StopTransformJob: what has been stored stays, as on AWS."""
        status = find(self._aws, TRANSFORM_JOB, name)["describe"]["TransformJobStatus"]
        if status not in ("InProgress", "Stopping"):
            raise validation(f"The transform job is in status {status} and cannot be stopped.")
        self._runner.stop(name, lambda: self._change(name, TransformJobStatus="Stopping"))

    # -- one job's life ------------------------------------------------------------------------

    def begin(self, job: Job) -> None:
        self._change(job.id, TransformStartTime=self._aws.clock.now())

    def work(self, job: Job) -> None:
        document = find(self._aws, TRANSFORM_JOB, job.id)
        describe, plan = document["describe"], document["plan"]
        role = acting(self._aws, plan["role"])
        files = inputs(role, describe)
        with self._server(job, role, describe, plan) as server:
            for key, file in files:
                try:
                    self._transform(job, role, server, describe, key, file)
                except AwsError as refused:
                    raise JobFailed(f"ClientError: {refused.message}") from refused

    def end(self, job_id: str, ending: Ending) -> None:
        more = {}
        if ending.reason is not None:
            known = isinstance(ending.error, JobFailed)
            reason = ending.reason if known else f"InternalServerError: {ending.reason}"
            more["FailureReason"] = reason[:FAILURE_CHARACTERS]
        self._change(
            job_id,
            TransformJobStatus=STATES[ending.outcome],
            TransformEndTime=self._aws.clock.now(),
            **more,
        )

    def event(self, job_id: str) -> None:
        return None

    def clear(self, job_id: str) -> None:
        shutil.rmtree(self._folder(job_id), ignore_errors=True)

    def _folder(self, name: str) -> Path:
        return self._aws.home.directory("transforms") / name

    @contextmanager
    def _server(
        self, job: Job, role: LocalAws, describe: Json, plan: Json
    ) -> Iterator[ModelProcess]:
        """The model's server, while the job lasts; the job's variables are added to the model's."""
        folder = self._folder(job.id)
        container = plan["container"] | {
            "Environment": plan["container"].get("Environment", {})
            | describe.get("Environment", {})
            | {
                "SAGEMAKER_BATCH": "true",
                "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(describe["MaxPayloadInMB"]),
                "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(describe["MaxConcurrentTransforms"]),
                "SAGEMAKER_BATCH_STRATEGY": strategy_word(describe["BatchStrategy"]),
            }
        }
        stream = f"{job.id}/i-{int(self._aws.clock.now().timestamp()):x}"
        serves = Serves(f"transform {job.id}", LOG_GROUP, stream)
        try:
            unpack(role, container, folder, plan.get("network"))
            server = ModelProcess(role, self._logs, serves, folder, container)
            try:
                server.wait_until_serving()
                yield server
            finally:
                server.stop(1.0)
        except NotServing as problem:
            raise JobFailed(f"AlgorithmError: {problem}") from problem

    def _transform(
        self, job: Job, role: LocalAws, server: ModelProcess, describe: Json, key: str, file: Path
    ) -> None:
        """One object's answers, stored as `<name>.out`."""
        given, wanted = describe["TransformInput"], describe["TransformOutput"]
        headers = {"Content-Type": given["ContentType"]} if "ContentType" in given else {}
        if "Accept" in wanted:
            headers["Accept"] = wanted["Accept"]
        joined = joining.Joining.of(describe.get("DataProcessing", {}))
        answers = bytearray()
        for records in payloads(content(file, given), describe, key):
            job.check()
            asked = joined.asked(records)
            try:
                served = server.invoke(asked, headers)
            except (NotServing, OSError) as problem:
                raise JobFailed(f"AlgorithmError: the model server is gone: {problem}") from problem
            if served.status != 200:
                told = served.body[:300].decode("utf-8", "replace")
                raise JobFailed(
                    f"ClientError: {key}: the model answered {served.status}: {told} See job logs"
                    " for more information"
                )
            answer = joined.answered(records, served.body)
            answers += answer
            if wanted["AssembleWith"] == "Line" and not answer.endswith(b"\n"):
                answers += b"\n"
        bucket, prefix = split_uri(wanted["S3OutputPath"].rstrip("/") + "/")
        source = split_uri(given["DataSource"]["S3DataSource"]["S3Uri"])[1]
        name = relative_name(key, source)
        kind = wanted.get("Accept", "binary/octet-stream")
        packed = self._folder(job.id) / "answers"
        packed.write_bytes(answers)
        role.objects.adopt(bucket, f"{prefix}{name}.out", packed, kind)

    def _change(self, name: str, **members: object) -> None:
        with self._aws.documents.changing(TRANSFORM_JOB, name) as document:
            document["describe"] |= members


def strategy_word(strategy: str) -> str:
    return {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}[strategy]


def inputs(role: LocalAws, describe: Json) -> list[tuple[str, Path]]:
    """(key, file) of every object below the prefix. JobFailed where there is none."""
    uri = describe["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    bucket, prefix = split_uri(uri)
    try:
        found = [(one.key, one.path) for one in role.objects.read(bucket, prefix)
                 if not one.key.endswith("/")]  # fmt: skip
    except AwsError as refused:
        raise JobFailed(f"ClientError: {refused.message}") from refused
    if not found:
        raise JobFailed(f"ClientError: No S3 objects found under S3 URL {uri!r}.")
    return found


def content(file: Path, given: Json) -> bytes:
    """An object's bytes, unpacked if they are said to be packed. JobFailed."""
    data = file.read_bytes()
    if given["CompressionType"] == "None":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as problem:
        raise JobFailed(f"ClientError: {file.name} is not Gzip: {problem}") from problem


def payloads(data: bytes, describe: Json, key: str) -> Iterator[bytes]:
    """What is put to the model: records of one object, together at most MaxPayloadInMB."""
    most = describe["MaxPayloadInMB"] * MB or None  # 0: no limit
    if describe["TransformInput"]["SplitType"] == "None":
        records = [data] if data else []
    else:
        records = [line + b"\n" for line in data.split(b"\n") if line.strip(b"\r")]
    for record in records:
        if most and len(record) > most:
            raise JobFailed(
                f"ClientError: {key}: a record of {len(record)} bytes is larger than"
                f" MaxPayloadInMB={describe['MaxPayloadInMB']}."
            )
    if describe["BatchStrategy"] == "SingleRecord" or len(records) < 2:
        yield from records
        return
    batch = bytearray()
    for record in records:
        if batch and most and len(batch) + len(record) > most:
            yield bytes(batch)
            batch = bytearray()
        batch += record
    yield bytes(batch)
