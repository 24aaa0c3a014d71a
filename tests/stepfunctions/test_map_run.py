"""Distributed Map: child executions, readers, writers, tolerance, restart and redrive."""

from __future__ import annotations

import gzip
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from localaws.core.aws import start
from localaws.s3 import api as s3
from tests.stepfunctions.conftest import Jobs, Workflows, machine, services
from tests.stepfunctions.test_tasks import GLUE_SYNC, LAMBDA, task

Json = dict[str, Any]
CONFIG = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}


@pytest.fixture
def sfn(tmp_path: Path, jobs: Jobs) -> Iterator[Workflows]:
    aws = start(tmp_path / "home", [s3.service, *services(jobs)], wait_scale=0)
    aws.client("s3").create_bucket(Bucket="lake")
    yield Workflows(aws, jobs)
    aws.stop()


def spread(processor: Json, **more: Any) -> Json:
    return {"Type": "Map", "ItemProcessor": {**processor, **CONFIG}, "Label": "each", **more}


def put(sfn: Workflows, key: str, text: str) -> None:
    sfn.aws.client("s3").put_object(Bucket="lake", Key=key, Body=text.encode())


def test_every_item_is_an_execution_of_its_own(sfn: Workflows) -> None:
    inner = machine(I={"Type": "Pass", "Parameters": {"v.$": "$"}})
    arn = sfn.begin(machine(M=spread(inner)), [1, 2, 3])
    done = sfn.wait(arn)

    assert done.output == [{"v": 1}, {"v": 2}, {"v": 3}]
    assert done.types == [
        "ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapRunStarted",
        "MapRunSucceeded", "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    map_run = sfn.client.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]
    assert map_run == done.details("MapRunStarted")["mapRunArn"]
    described = sfn.client.describe_map_run(mapRunArn=map_run)
    assert (described["status"], described["executionCounts"]["succeeded"]) == ("SUCCEEDED", 3)
    children = sfn.client.list_executions(mapRunArn=map_run)["executions"]
    assert len(children) == 3
    assert sfn.history(children[0]["executionArn"])[1]["type"] == "PassStateEntered"


@pytest.mark.parametrize(
    ("text", "config", "items"),
    [
        ('[1, {"a": 2}]', {"InputType": "JSON"}, [1, {"a": 2}]),
        ('{"a": 1}\n\n{"a": 2}\n', {"InputType": "JSONL"}, [{"a": 1}, {"a": 2}]),
        (
            'id,name\n1,"a, b"\n2,c\n',
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            [{"id": "1", "name": "a, b"}, {"id": "2", "name": "c"}],
        ),
        (
            "1;x\n2;y\n3;z\n",
            {
                "InputType": "CSV",
                "CSVHeaderLocation": "GIVEN",
                "CSVHeaders": ["n", "v"],
                "CSVDelimiter": "SEMICOLON",
                "MaxItems": 2,
            },
            [{"n": "1", "v": "x"}, {"n": "2", "v": "y"}],
        ),
    ],
    ids=["json", "jsonl", "csv", "csv-given-headers"],
)
def test_items_come_from_s3(sfn: Workflows, text: str, config: Json, items: list[Any]) -> None:
    put(sfn, "items", text)
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Parameters": {"Bucket": "lake", "Key.$": "$.key"},
    }
    state = spread(machine(I={"Type": "Pass"}), ItemReader=reader)
    assert sfn.run(machine(M=state), {"key": "items"}).output == items


def test_a_listing_of_objects(sfn: Workflows) -> None:
    for name in "ab":
        put(sfn, f"raw/{name}.csv", name)
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Parameters": {"Bucket": "lake", "Prefix": "raw/"},
    }
    inner = machine(I={"Type": "Pass", "OutputPath": "$.Key"})
    state = spread(inner, ItemReader=reader)
    assert sfn.run(machine(M=state)).output == ["raw/a.csv", "raw/b.csv"]


def test_a_reader_that_finds_nothing_fails_by_its_name(sfn: Workflows) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "lake", "Key": "nope"},
    }
    done = sfn.run(machine(M=spread(machine(I={"Type": "Pass"}), ItemReader=reader)))
    assert done.error == "States.ItemReaderFailed"
    assert "(Service: S3, Status Code: 404, Request ID: " in done.cause


def test_a_redrive_reads_items_that_were_not_there(sfn: Workflows) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "lake", "Key": "late.json"},
    }
    arn = sfn.begin(machine(M=spread(machine(I={"Type": "Pass"}), ItemReader=reader)))
    assert sfn.wait(arn).status == "FAILED"
    put(sfn, "late.json", "[1, 2]")
    sfn.client.redrive_execution(executionArn=arn)
    done = sfn.wait(arn)
    assert done.output == [1, 2]
    assert done.types[7:9] == ["ExecutionRedriven", "MapRunRedriven"]


def test_results_are_written_to_s3(sfn: Workflows) -> None:
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "lake", "Prefix": "out"},
    }
    done = sfn.run(machine(M=spread(machine(I={"Type": "Pass"}), ResultWriter=writer)), [7])
    details = done.output["ResultWriterDetails"]
    client = sfn.aws.client("s3")
    manifest = json.load(client.get_object(**details)["Body"])
    key = manifest["ResultFiles"]["SUCCEEDED"][0]["Key"]
    rows = json.load(client.get_object(Bucket="lake", Key=key)["Body"])
    assert [(row["Status"], row["Output"]) for row in rows] == [("SUCCEEDED", "7")]


def failing_on(sfn: Workflows, *bad: int) -> Json:
    def reply(event: int) -> int:
        if event in bad:
            raise ValueError("bad item")
        return event

    sfn.jobs.replies["f"] = reply
    call = task(LAMBDA, {"FunctionName": "f", "Payload.$": "$"}, OutputPath="$.Payload")
    return machine(F=call)


def test_one_failure_too_many_fails_the_map_run(sfn: Workflows) -> None:
    done = sfn.run(machine(M=spread(failing_on(sfn, 2), MaxConcurrency=1)), [1, 2, 3])
    assert done.error == "States.ExceedToleratedFailureThreshold"
    assert done.types[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]


def test_tolerated_failures_leave_the_others(sfn: Workflows) -> None:
    state = spread(failing_on(sfn, 2), ToleratedFailureCount=1)
    assert sfn.run(machine(M=state), [1, 2, 3]).output == [1, 3]


def test_redrive_runs_only_the_failed_children_again(sfn: Workflows) -> None:
    arn = sfn.begin(machine(M=spread(failing_on(sfn, 2), MaxConcurrency=1)), [1, 2, 3])
    assert sfn.wait(arn).status == "FAILED"
    failing_on(sfn)
    sfn.client.redrive_execution(executionArn=arn)
    done = sfn.wait(arn)
    assert done.output == [1, 2, 3]
    assert "MapRunRedriven" in done.types
    events = [params["event"] for name, params in sfn.jobs.calls]
    assert events == [1, 2, 2, 3]


def test_a_map_run_goes_on_after_a_restart(sfn: Workflows, tmp_path: Path) -> None:
    sfn.jobs.ends_at_once = None
    inner = machine(J=task(GLUE_SYNC, {"JobName": "j"}, OutputPath="$.Id"))
    arn = sfn.begin(machine(M=spread(inner, MaxConcurrency=2)), [1, 2, 3])
    sfn.until(lambda: len(sfn.jobs.states) == 2)
    sfn.jobs.end("jr_0", "SUCCEEDED")
    sfn.until(lambda: len(sfn.jobs.states) == 3)
    map_run = sfn.client.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]
    children = sfn.client.list_executions(mapRunArn=map_run)["executions"]
    sfn.until(lambda: all(sfn.has(c["executionArn"], "TaskSubmitted")() for c in children))
    sfn.aws.stop()

    aws = start(tmp_path / "home", [s3.service, *services(sfn.jobs)], wait_scale=0)
    try:
        again = Workflows(aws, sfn.jobs)
        for name in ("jr_1", "jr_2"):
            sfn.jobs.end(name, "SUCCEEDED")
        assert sorted(again.wait(arn).output) == ["jr_0", "jr_1", "jr_2"]
        assert len(sfn.jobs.calls) == 3
    finally:
        aws.stop()


EXPRESS = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}


def test_children_may_be_express_executions(sfn: Workflows) -> None:
    inner = {**machine(I={"Type": "Pass", "Parameters": {"v.$": "$"}}), **EXPRESS}
    arn = sfn.begin(machine(M={"Type": "Map", "ItemProcessor": inner, "Label": "each"}), [1, 2])
    assert sfn.wait(arn).output == [{"v": 1}, {"v": 2}]

    map_run = sfn.client.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]
    counts = sfn.client.describe_map_run(mapRunArn=map_run)["executionCounts"]
    assert (counts["succeeded"], counts["total"]) == (2, 2)
    children = sfn.client.list_executions(mapRunArn=map_run)["executions"]
    name = arn.split(":")[6]
    for child in children:
        assert child["executionArn"].split(":")[5:7] == ["express", f"{name}/each"]
    described = sfn.client.describe_execution(executionArn=children[0]["executionArn"])
    assert (described["status"], json.loads(described["output"])) == ("SUCCEEDED", {"v": 2})
    assert "redriveStatus" not in described
    with pytest.raises(sfn.client.exceptions.InvalidArn, match="context: express"):
        sfn.history(children[0]["executionArn"])


def test_express_children_that_failed_run_again_from_their_beginning(sfn: Workflows) -> None:
    call = task(LAMBDA, {"FunctionName": "f", "Payload.$": "$"})
    inner = {**machine(First={"Type": "Pass"}, Call=call), **EXPRESS}
    failing = [True]

    def reply(event: Any) -> Any:
        if failing[0] and event == 2:
            raise ValueError("no")
        return event

    sfn.jobs.replies["f"] = reply
    arn = sfn.begin(machine(M={"Type": "Map", "ItemProcessor": inner, "Label": "each"}), [1, 2])
    assert sfn.wait(arn).error == "States.ExceedToleratedFailureThreshold"
    failing[0] = False
    sfn.client.redrive_execution(executionArn=arn)
    done = sfn.wait(arn)
    assert [output["Payload"] for output in done.output] == [1, 2]


def test_express_children_that_ran_begin_anew_after_a_restart(
    sfn: Workflows, tmp_path: Path
) -> None:
    call = task(LAMBDA, {"FunctionName": "f", "Payload.$": "$"})
    inner = {**machine(First={"Type": "Pass"}, Call=call), **EXPRESS}
    waiting = threading.Event()

    def reply(event: Any) -> Any:
        if event == 2:
            waiting.wait(60)
        return event

    sfn.jobs.replies["f"] = reply
    state = {"Type": "Map", "ItemProcessor": inner, "MaxConcurrency": 1}
    arn = sfn.begin(machine(M=state), [1, 2])
    sfn.until(lambda: len(sfn.jobs.calls) == 2, 60)
    sfn.aws.stop()
    waiting.set()

    jobs = Jobs()
    aws = start(tmp_path / "home", [s3.service, *services(jobs)], wait_scale=0)
    again = Workflows(aws, jobs)
    done = again.wait(arn, 60)
    assert [output["Payload"] for output in done.output] == [1, 2]
    assert [call["event"] for _, call in jobs.calls] == [2]
    aws.stop()


def test_express_children_cannot_wait_for_jobs(sfn: Workflows) -> None:
    inner = {**machine(I=task(GLUE_SYNC, {"JobName": "j"})), **EXPRESS}
    with pytest.raises(sfn.client.exceptions.InvalidDefinition, match=r"does not support '\.sync'"):
        sfn.create(machine(M={"Type": "Map", "ItemProcessor": inner}))


def test_stopping_stops_the_children_too(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = None
    inner = machine(J=task(GLUE_SYNC, {"JobName": "j"}))
    arn = sfn.begin(machine(M=spread(inner)), [1, 2])
    map_runs = sfn.until(lambda: sfn.client.list_map_runs(executionArn=arn)["mapRuns"])
    map_run = map_runs[0]["mapRunArn"]
    children = sfn.until(
        lambda: (
            len(found := sfn.client.list_executions(mapRunArn=map_run)["executions"]) == 2 and found
        )
    )
    sfn.until(lambda: all(sfn.has(c["executionArn"], "TaskSubmitted")() for c in children))
    sfn.client.stop_execution(executionArn=arn)
    assert sorted(sfn.until(lambda: len(sfn.jobs.stopped) == 2 and sfn.jobs.stopped)) == [
        "jr_0", "jr_1",
    ]  # fmt: skip
    for child in children:
        assert sfn.wait(child["executionArn"]).status == "ABORTED"


def test_a_map_run_under_way_takes_new_limits(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = None
    inner = machine(J=task(GLUE_SYNC, {"JobName": "join"}))
    arn = sfn.begin(machine(M=spread(inner, MaxConcurrency=1)), [1, 2, 3, 4])
    sfn.until(lambda: len(sfn.jobs.states) == 1)
    map_run = sfn.client.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]

    sfn.client.update_map_run(mapRunArn=map_run, maxConcurrency=3, toleratedFailureCount=1)

    sfn.until(lambda: len(sfn.jobs.states) == 3)
    described = sfn.client.describe_map_run(mapRunArn=map_run)
    assert (described["maxConcurrency"], described["toleratedFailureCount"]) == (3, 1)
    sfn.jobs.end("jr_0", "FAILED")
    sfn.until(lambda: len(sfn.jobs.states) == 4)
    for name in ("jr_1", "jr_2", "jr_3"):
        sfn.jobs.end(name, "SUCCEEDED")
    assert sfn.wait(arn).status == "SUCCEEDED"
    with pytest.raises(sfn.client.exceptions.ClientError, match="SUCCEEDED; only one that"):
        sfn.client.update_map_run(mapRunArn=map_run, maxConcurrency=1)


def reading(sfn: Workflows, reader: Json) -> Any:
    return sfn.run(machine(M=spread(machine(I={"Type": "Pass"}), ItemReader=reader)))


def of_object(key: str, **config: Any) -> Json:
    return {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Parameters": {"Bucket": "lake", "Key": key},
    }


def test_items_come_from_within_a_document(sfn: Workflows) -> None:
    put(sfn, "d.json", '{"a": {"b/c": [1, 2]}, "o": {"k": 3}}')
    inner = reading(sfn, of_object("d.json", InputType="JSON", ItemsPointer="/a/b~1c"))
    assert inner.output == [1, 2]
    entries = reading(sfn, of_object("d.json", InputType="JSON", ItemsPointer="/o")).output
    assert entries == [{"Key": "k", "Value": 3}]
    lost = reading(sfn, of_object("d.json", InputType="JSON", ItemsPointer="/x"))
    assert (lost.error, lost.cause) == ("States.ItemReaderFailed", "ItemsPointer /x leads nowhere.")


def test_items_come_from_packed_files_and_parquet(sfn: Workflows) -> None:
    client = sfn.aws.client("s3")
    client.put_object(Bucket="lake", Key="l.jsonl.gz", Body=gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    assert reading(sfn, of_object("l.jsonl.gz", InputType="JSONL")).output == [{"a": 1}, {"a": 2}]
    members = gzip.compress(b'{"a": 1}\n') + gzip.compress(b'{"a": 2}\n')  # as `cat` makes them
    zstd = pyarrow.compress(b'{"a": 1}\n{"a": 2}\n', codec="zstd", asbytes=True)
    for key, packed in (("two.jsonl.gz", members), ("l.jsonl.zstd", zstd)):
        client.put_object(Bucket="lake", Key=key, Body=packed)
        assert reading(sfn, of_object(key, InputType="JSONL")).output == [{"a": 1}, {"a": 2}]
    client.put_object(Bucket="lake", Key="cut.jsonl.gz", Body=members[:-4])
    cut = reading(sfn, of_object("cut.jsonl.gz", InputType="JSONL"))
    assert cut.error == "States.ItemReaderFailed"
    data = io.BytesIO()
    parquet.write_table(pyarrow.table({"n": [1, 2], "s": ["x", None]}), data)
    client.put_object(Bucket="lake", Key="t.parquet", Body=data.getvalue())
    rows = reading(sfn, of_object("t.parquet", InputType="PARQUET")).output
    assert rows == [{"n": 1, "s": "x"}, {"n": 2, "s": None}]
    put(sfn, "no.parquet", "text")
    assert reading(sfn, of_object("no.parquet", InputType="PARQUET")).error == (
        "States.ItemReaderFailed"
    )


def test_items_come_from_the_files_of_a_manifest(sfn: Workflows) -> None:
    put(sfn, "u/1", '"1","a"\n')
    put(sfn, "u/2", '"2","b"\n')
    put(sfn, "u-manifest.csv", "s3://lake/u/1\ns3://lake/u/2\n")
    unloaded = of_object(
        "u-manifest.csv",
        ManifestType="ATHENA_DATA",
        InputType="CSV",
        CSVHeaderLocation="GIVEN",
        CSVHeaders=["n", "s"],
    )
    assert reading(sfn, unloaded).output == [{"n": "1", "s": "a"}, {"n": "2", "s": "b"}]

    report = b'"lake","raw/x.csv","12"\n'
    sfn.aws.client("s3").put_object(Bucket="lake", Key="inv/1.gz", Body=gzip.compress(report))
    manifest = {
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "destinationBucket": "arn:aws:s3:::lake",
        "files": [{"key": "inv/1.gz"}],
    }
    put(sfn, "inv/manifest.json", json.dumps(manifest))
    expected = [{"Bucket": "lake", "Key": "raw/x.csv", "Size": "12"}]
    for config in ({"ManifestType": "S3_INVENTORY"}, {"InputType": "MANIFEST"}):
        assert reading(sfn, of_object("inv/manifest.json", **config)).output == expected


def test_items_come_from_every_file_of_a_listing(sfn: Workflows) -> None:
    put(sfn, "many/a.json", "[1, 2]")
    put(sfn, "many/b.json", "[3]")
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "ReaderConfig": {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON"},
        "Parameters": {"Bucket": "lake", "Prefix": "many/"},
    }
    assert reading(sfn, reader).output == [1, 2, 3]


def test_the_context_tells_where_an_item_is_from(sfn: Workflows) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html"""
    put(sfn, "many/a.json", "[1, 2]")
    put(sfn, "many/b.json", "[3]")
    put(sfn, "o.json", '{"k": "v"}')
    told = {"source.$": "$$.Map.Item.Source", "value.$": "$$.Map.Item.Value"}

    def items(input_: Any = None, selector: Json = told, **reader: Any) -> Any:
        more = {"ItemReader": reader} if reader else {}
        state = spread(machine(I={"Type": "Pass"}), ItemSelector=selector, **more)
        return sfn.run(machine(M=state), input_).output

    assert items([7]) == [{"source": "STATE_DATA", "value": 7}]
    named = {"key.$": "$$.Map.Item.Key", "value.$": "$$.Map.Item.Value"}
    assert items({"a": 1}, named) == [{"key": "a", "value": 1}]
    listing = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Parameters": {"Bucket": "lake", "Prefix": "many/"},
    }
    assert [one["source"] for one in items(**listing)] == ["S3://lake", "S3://lake"]
    flat = {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON"}
    assert items(**listing, ReaderConfig=flat) == [
        {"source": "S3://lake/many/a.json", "value": 1},
        {"source": "S3://lake/many/a.json", "value": 2},
        {"source": "S3://lake/many/b.json", "value": 3},
    ]
    keyed = {**told, "key.$": "$$.Map.Item.Key"}
    found = items(selector=keyed, **of_object("o.json", InputType="JSON"))
    assert found == [{"source": "S3://lake/o.json", "key": "k", "value": "v"}]


@pytest.mark.parametrize(
    ("form", "results"), [("COMPACT", [[1, 2], 3]), ("FLATTEN", [1, 2, 3])], ids=["compact", "flat"]
)
def test_results_are_formed_with_and_without_a_bucket(
    sfn: Workflows, form: str, results: list[Any]
) -> None:
    config = {"Transformation": form, "OutputType": "JSONL"}
    inner = machine(I={"Type": "Pass"})
    alone = spread(inner, ResultWriter={"WriterConfig": config})
    assert sfn.run(machine(M=alone), [[1, 2], 3]).output == results
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "lake", "Prefix": "out"},
        "WriterConfig": config,
    }
    done = sfn.run(machine(M=spread(inner, ResultWriter=writer)), [[1, 2], 3])
    client = sfn.aws.client("s3")
    manifest = json.load(client.get_object(**done.output["ResultWriterDetails"])["Body"])
    key = manifest["ResultFiles"]["SUCCEEDED"][0]["Key"]
    lines = client.get_object(Bucket="lake", Key=key)["Body"].read().decode().splitlines()
    assert key.endswith("SUCCEEDED_0.jsonl")
    assert [json.loads(line) for line in lines] == results


def test_a_large_csv_is_read_as_a_stream_and_no_further_than_needed(sfn: Workflows) -> None:
    import tracemalloc

    from localaws.stepfunctions import item_reader
    from localaws.stepfunctions.integrations.runtime import Integrations

    put(sfn, "big.csv", 'id,text\n1,"über\nzwei Zeilen"\n' + "2,\n3\n" * 4_000_000)
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItems": 3}
    plan = item_reader.Plan("getObject", {"Bucket": "lake", "Key": "big.csv"}, config)

    tracemalloc.start()
    items = item_reader.read(Integrations(sfn.aws.client), plan).values
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert items == [
        {"id": "1", "text": "über\nzwei Zeilen"},
        {"id": "2", "text": ""},
        {"id": "3", "text": ""},
    ]
    assert peak < 15_000_000, "of a file of 20 MB"
