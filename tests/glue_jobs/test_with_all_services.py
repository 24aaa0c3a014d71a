"""Glue jobs and DataBrew among all the other services, as the server runs them."""

from __future__ import annotations

import time
from typing import Any

from localaws.core.signals import EventSent


def test_a_runs_output_is_in_cloudwatch_logs(aws: Any) -> None:
    aws.client("s3").create_bucket(Bucket="lake")
    aws.client("s3").put_object(
        Bucket="lake",
        Key="hello.py",
        Body=b"import os, sys\nprint('hello', os.environ['AWS_ENDPOINT_URL'])\n"
        b"print('careful', file=sys.stderr)\n",
    )
    glue = aws.client("glue")
    glue.create_job(
        Name="hello",
        Role="role",
        Command={"Name": "glueetl", "ScriptLocation": "s3://lake/hello.py"},
    )
    events: list[dict[str, Any]] = []
    aws.signals.subscribe(EventSent, lambda signal: events.append(signal.event))

    run_id = glue.start_job_run(JobName="hello")["JobRunId"]
    for _ in range(600):
        run = glue.get_job_run(JobName="hello", RunId=run_id)["JobRun"]
        if run["JobRunState"] not in ("STARTING", "RUNNING"):
            break
        time.sleep(0.05)

    assert run["JobRunState"] == "SUCCEEDED"
    for stream, line in (("output", f"hello {aws.url}"), ("error", "careful")):
        logged = aws.client("logs").get_log_events(
            logGroupName=f"{run['LogGroupName']}/{stream}", logStreamName=run_id
        )
        assert [event["message"] for event in logged["events"]] == [line]
    (event,) = [event for event in events if event["source"] == "aws.glue"]
    assert event["detail-type"] == "Glue Job State Change"
    assert event["detail"]["state"] == "SUCCEEDED"
    assert event["detail"]["jobRunId"] == run_id
