"""Triggers: https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.glue_workflows.conditions import holds
from tests.glue_workflows.conftest import Flows, MovedClock, actions

OK = {"LogicalOperator": "EQUALS", "JobName": "a", "State": "SUCCEEDED"}
TOO_MANY = actions("crawl1", "crawl2", "crawl3")


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        ({"Type": "EVENT"}, "NotEmulated", "Type=EVENT"),
        ({"Type": "SCHEDULED"}, "InvalidInputException", "Schedule goes with Type SCHEDULED"),
        ({"Type": "SCHEDULED", "Schedule": "rate(1 hour)"}, "InvalidInputException", "cron"),
        ({"Type": "SCHEDULED", "Schedule": "cron(0 25 * * ? *)"}, "InvalidInputException", "cron"),
        ({"Type": "CONDITIONAL"}, "InvalidInputException", "Predicate goes with"),
        ({"Type": "ON_DEMAND", "StartOnCreation": True}, "InvalidInputException", "ON_DEMAND"),
        ({"Type": "ON_DEMAND", "Actions": []}, "InvalidInputException", "Actions is empty"),
        ({"Type": "ON_DEMAND", "Actions": TOO_MANY}, "InvalidInputException", "at most 2 crawlers"),
        ({"Type": "CONDITIONAL", "Predicate": {"Conditions": [OK, OK]}}, "InvalidInputException",
         "Logical is missing"),
        ({"Type": "CONDITIONAL", "Predicate": {"Conditions": [{**OK, "State": "RUNNING"}]}},
         "InvalidInputException", "SUCCEEDED, STOPPED, FAILED, TIMEOUT"),
        ({"Type": "ON_DEMAND", "WorkflowName": "none"}, "EntityNotFoundException", "none"),
    ],
)  # fmt: skip
def test_a_trigger_that_cannot_be_is_refused(
    flows: Flows, given: dict[str, Any], code: str, told: str
) -> None:
    with pytest.raises(ClientError, match=told) as error:
        flows.glue.create_trigger(**{"Name": "t", "Actions": actions("a"), **given})
    assert error.value.response["Error"]["Code"] == code


DONE = {"Type": "JOB", "Name": "a", "State": "SUCCEEDED"}
BAD = {"Type": "JOB", "Name": "b", "State": "FAILED"}
CRAWLED = {"Type": "CRAWLER", "Name": "c", "State": "CANCELLED"}
ON_A = {"JobName": "a", "State": "SUCCEEDED"}
ON_B = {"JobName": "b", "State": "SUCCEEDED"}
ON_C = {"CrawlerName": "c", "CrawlState": "CANCELLED"}


@pytest.mark.parametrize(
    ("logical", "conditions", "ended", "fires"),
    [
        (None, [ON_A], [DONE], True),
        (None, [ON_A], [], False),
        (None, [ON_B], [BAD], False),
        ("AND", [ON_A, ON_C], [DONE], False),
        ("AND", [ON_A, ON_C], [DONE, CRAWLED], True),
        ("ANY", [ON_A, ON_B], [BAD], False),
        ("ANY", [ON_A, ON_B], [BAD, DONE], True),
        (None, [{**ON_B, "State": "FAILED"}], [BAD], True),
        (None, [ON_A], [DONE, {**DONE, "State": "RUNNING"}], False),
    ],
)
def test_conditions_hold_by_what_has_ended(
    logical: str | None, conditions: list[Any], ended: list[Any], fires: bool
) -> None:
    predicate = {"Conditions": conditions} | ({"Logical": logical} if logical else {})
    assert holds(predicate, ended) is fires


def test_what_a_trigger_started_fires_the_next_one_and_what_a_person_started_does_not(
    flows: Flows,
) -> None:
    flows.job("first", DefaultArguments={"--day": "default"},
              NonOverridableArguments={"--fixed": "job"})  # fmt: skip
    flows.job("second")
    flows.after("then", [{**OK, "JobName": "first"}], "second")
    flows.glue.create_trigger(
        Name="go", Type="ON_DEMAND",
        Actions=[{"JobName": "first", "Arguments": {"--day": "trigger", "--fixed": "trigger"}}],
    )  # fmt: skip

    flows.glue.start_job_run(JobName="first")
    flows.ended("first")
    flows.glue.start_trigger(Name="go")
    flows.ended("second")

    by_trigger, by_hand = flows.ended("first", 2)
    (second,) = flows.runs("second")
    assert "TriggerName" not in by_hand
    assert (by_trigger["TriggerName"], second["TriggerName"]) == ("go", "then")
    assert [run["JobRunState"] for run in (by_trigger, second)] == ["SUCCEEDED", "SUCCEEDED"]
    full = flows.glue.get_job_run(JobName="second", RunId=second["Id"], PredecessorsIncluded=True)
    assert full["JobRun"]["PredecessorRuns"] == [{"JobName": "first", "RunId": by_trigger["Id"]}]
    folder = flows.aws.home.directory("glue-runs") / by_trigger["Id"]
    words = (folder / "output.log").read_text()
    assert "'--day', 'trigger'" in words
    assert "'--fixed', 'job'" in words
    shown = flows.glue.get_trigger(Name="go")["Trigger"]
    assert (shown["State"], shown["Type"]) == ("CREATED", "ON_DEMAND")
    assert flows.glue.list_triggers(DependentJobName="second")["TriggerNames"] == ["then"]


def test_a_failure_is_watched_for_after_its_last_attempt_and_what_cannot_start_is_recorded(
    flows: Flows,
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html: ERROR where the job is
    deleted."""
    flows.job("bad", "raise ValueError('no rows')\n", MaxRetries=1)
    flows.job("repair")
    flows.job("gone")
    flows.after("mend", [{**OK, "JobName": "bad", "State": "FAILED"}], "repair", "gone")
    flows.trigger("go", "ON_DEMAND", "bad")
    flows.glue.delete_job(JobName="gone")

    flows.glue.start_trigger(Name="go")
    (repaired,) = flows.ended("repair")

    last, first = flows.ended("bad", 2)
    assert (last["PreviousRunId"], last["Attempt"]) == (first["Id"], 1)
    assert repaired["StartedOn"] >= last["CompletedOn"]
    flows.job("gone")
    (run,) = flows.runs("gone")
    assert (run["JobRunState"], run["ErrorMessage"]) == ("ERROR", "Job gone not found.")


def test_a_schedule_fires_at_its_time_while_it_is_active(flows: Flows, clock: MovedClock) -> None:
    flows.job("nightly")
    flows.trigger("daily", "SCHEDULED", "nightly", Schedule="cron(15 12 * * ? *)")

    def a_day_later() -> None:
        clock.moved += timedelta(days=1)
        flows.glue.update_trigger(Name="daily", TriggerUpdate={"Description": "looked at"})

    a_day_later()
    assert flows.glue.get_trigger(Name="daily")["Trigger"]["State"] == "CREATED"
    flows.glue.start_trigger(Name="daily")
    assert flows.glue.get_trigger(Name="daily")["Trigger"]["State"] == "ACTIVATED"
    a_day_later()
    (run,) = flows.ended("nightly")
    assert run["TriggerName"] == "daily"
    flows.glue.stop_trigger(Name="daily")
    a_day_later()
    assert flows.glue.get_trigger(Name="daily")["Trigger"]["State"] == "DEACTIVATED"
    for _ in range(2):  # no error for one that is not there
        assert flows.glue.delete_trigger(Name="daily")["Name"] == "daily"
    assert flows.glue.get_triggers()["Triggers"] == []
    assert len(flows.runs("nightly")) == 1


def test_a_chain_goes_on_after_a_restart(flows: Flows, local: Any, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    flows.job("slow", "import os, time\n"
              f"while not os.path.exists({str(ready)!r}):\n    time.sleep(0.05)\n")  # fmt: skip
    flows.job("second")
    flows.after("then", [{**OK, "JobName": "slow"}], "second")
    flows.trigger("go", "ON_DEMAND", "slow")
    flows.glue.start_trigger(Name="go")

    again = local()
    ready.touch()

    (run,) = again.ended("second")
    assert (run["JobRunState"], run["TriggerName"]) == ("SUCCEEDED", "then")
    assert len(again.runs("slow")) == 1
