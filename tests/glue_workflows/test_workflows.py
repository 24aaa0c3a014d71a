"""Workflows: https://docs.aws.amazon.com/glue/latest/dg/workflows_overview.html"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.glue_workflows.conftest import Flows, MovedClock, actions

FIRST = {"LogicalOperator": "EQUALS", "JobName": "first", "State": "SUCCEEDED"}
CRAWL = {"LogicalOperator": "EQUALS", "CrawlerName": "crawl", "CrawlState": "SUCCEEDED"}
SLEEP = "import time\ntime.sleep(60)\n"


def build(flows: Flows, first: str, **settings: Any) -> None:
    """A job and a crawler at once; when both have succeeded, another job; one for a failure."""
    for name, script in (("first", first), ("second", "import sys\nprint(sys.argv)\n")):
        flows.job(name, script)
    flows.crawler("crawl")
    flows.glue.create_workflow(
        Name="nightly", DefaultRunProperties={"day": "1", "shop": "a"}, **settings
    )
    flows.trigger("go", "ON_DEMAND", "first", "crawl", WorkflowName="nightly")
    flows.after("then", [FIRST, CRAWL], "second", WorkflowName="nightly")
    flows.after("mend", [{**FIRST, "State": "FAILED"}], "second", WorkflowName="nightly")
    flows.after("outside", [FIRST], "second")


def test_a_workflow_runs_by_its_triggers_and_tells_its_graph(flows: Flows) -> None:
    build(flows, "print('done')\n")

    run_id = flows.glue.start_workflow_run(Name="nightly", RunProperties={"day": "2"})["RunId"]
    flows.glue.put_workflow_run_properties(
        Name="nightly", RunId=run_id, RunProperties={"rows": "7"}
    )
    run = flows.workflow_ended("nightly", run_id)

    assert re.fullmatch(r"wr_[0-9a-f]{64}", run_id)
    assert (run["Status"], run["WorkflowRunProperties"]) == (
        "COMPLETED", {"day": "2", "shop": "a", "rows": "7"},
    )  # fmt: skip
    statistics = {name: count for name, count in run["Statistics"].items() if count}
    assert statistics == {"TotalActions": 4, "SucceededActions": 3}
    nodes = {node["UniqueId"]: node for node in run["Graph"]["Nodes"]}
    edges = {
        (nodes[edge["SourceId"]]["Name"], nodes[edge["DestinationId"]]["Name"])
        for edge in run["Graph"]["Edges"]
    }
    assert edges == {
        ("go", "first"), ("go", "crawl"), ("first", "then"), ("crawl", "then"),
        ("then", "second"), ("first", "mend"), ("mend", "second"),
    }  # fmt: skip
    by_name = {node["Name"]: node for node in nodes.values()}
    assert [crawl["State"] for crawl in by_name["crawl"]["CrawlerDetails"]["Crawls"]] == [
        "SUCCEEDED"
    ]
    (second,) = by_name["second"]["JobDetails"]["JobRuns"]
    assert second["Arguments"] == {"--WORKFLOW_NAME": "nightly", "--WORKFLOW_RUN_ID": run_id}
    assert second["TriggerName"] == "then", "the trigger outside of the workflow does not fire"
    assert [each["Id"] for each in flows.runs("second")] == [second["Id"]]
    workflow = flows.glue.get_workflow(Name="nightly")["Workflow"]
    assert workflow["DefaultRunProperties"] == {"day": "1", "shop": "a"}
    assert workflow["LastRun"]["WorkflowRunId"] == run_id


def test_a_branch_for_a_failure_is_taken_and_the_run_is_complete(flows: Flows) -> None:
    build(flows, "raise ValueError('no rows')\n")

    run_id = flows.glue.start_workflow_run(Name="nightly")["RunId"]
    run = flows.workflow_ended("nightly", run_id)

    assert run["Status"] == "COMPLETED"
    assert (run["Statistics"]["FailedActions"], run["Statistics"]["SucceededActions"]) == (1, 2)
    assert flows.runs("second")[0]["TriggerName"] == "mend"


def test_a_stopped_run_stops_its_jobs_and_fires_nothing(flows: Flows) -> None:
    build(flows, SLEEP, MaxConcurrentRuns=1)
    flows.after("stopped", [{**FIRST, "State": "STOPPED"}], "second", WorkflowName="nightly")
    run_id = flows.glue.start_workflow_run(Name="nightly")["RunId"]
    with pytest.raises(ClientError, match=r"exceeded for workflow: nightly\.") as no:
        flows.glue.start_workflow_run(Name="nightly")
    assert no.value.response["Error"]["Code"] == "ConcurrentRunsExceededException"

    flows.glue.stop_workflow_run(Name="nightly", RunId=run_id)
    run = flows.workflow_ended("nightly", run_id)

    assert run["Status"] == "STOPPED"
    assert flows.runs("first")[0]["JobRunState"] == "STOPPED"
    assert flows.runs("second") == []
    with pytest.raises(ClientError) as error:
        flows.glue.stop_workflow_run(Name="nightly", RunId=run_id)
    assert error.value.response["Error"]["Code"] == "IllegalWorkflowStateException"


def test_a_schedule_that_finds_its_workflow_full_leaves_a_run_that_says_so(
    flows: Flows, clock: MovedClock
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_WorkflowRun.html: ErrorMessage."""
    flows.job("first", SLEEP)
    flows.glue.create_workflow(Name="w", MaxConcurrentRuns=1)
    flows.trigger(
        "daily", "SCHEDULED", "first", Schedule="cron(15 12 * * ? *)", WorkflowName="w",
        StartOnCreation=True,
    )  # fmt: skip
    with pytest.raises(ClientError, match="has a starting trigger already: daily"):
        flows.trigger("other", "ON_DEMAND", "first", WorkflowName="w")
    first = flows.glue.start_workflow_run(Name="w")["RunId"]

    clock.moved = timedelta(days=1)
    flows.glue.update_trigger(Name="daily", TriggerUpdate={"Actions": actions("first")})

    refused = None
    while refused is None:
        runs = flows.glue.get_workflow_runs(Name="w")["Runs"]
        refused = next((run for run in runs if run["Status"] == "ERROR"), None)
    assert refused["ErrorMessage"] == "Concurrent runs exceeded for workflow: w."
    assert refused["PreviousRunId"] == first
    flows.glue.stop_workflow_run(Name="w", RunId=first)
    flows.workflow_ended("w", first)


def test_a_workflow_without_a_starting_trigger_cannot_be_started(flows: Flows) -> None:
    flows.glue.create_workflow(Name="empty")

    with pytest.raises(ClientError, match="has no trigger of Type SCHEDULED or ON_DEMAND"):
        flows.glue.start_workflow_run(Name="empty")
    assert flows.glue.list_workflows()["Workflows"] == ["empty"]
    found = flows.glue.batch_get_workflows(Names=["empty", "none"])
    assert ([one["Name"] for one in found["Workflows"]], found["MissingWorkflows"]) == (
        ["empty"], ["none"],
    )  # fmt: skip
