"""Tries, failed states and messages, out of an execution's events."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.functions import crawl_raw_data, databrew_leftovers, notify, receive_trigger, tries
from tests.workflow.events import Events

ARN = "arn:aws:states:us-east-1:111122223333:execution:rebuy:demo-1"


def redriven() -> list[dict[str, Any]]:
    """Check fails, is redriven, and then the train state times out with the machine."""
    events = Events()
    events.start()
    events.enter("Check", {"run": {"id": "r1"}})
    events.fail("RawDataCheckFailed", "bad rows")
    events.end("ExecutionFailed", error="RawDataCheckFailed", cause="bad rows")
    events.redrive()
    events.succeed()
    events.leave("Check", {"run": {"id": "r1"}, "checks": {"answer": {}}})
    events.enter("Train", {"run": {"id": "r1"}, "checks": {"answer": {}}})
    events.begin()
    events.end("ExecutionTimedOut", error="States.Timeout")
    return events.all


def named(attempt: tries.Try) -> str | None:
    visit = tries.failed_visit(attempt)
    return visit and visit.state


def test_each_try_has_its_own_end_and_state() -> None:
    first, second = tries.tries_of(redriven())

    assert (first.number, first.status, first.error) == (1, "FAILED", "RawDataCheckFailed")
    assert (second.number, second.status, second.cause) == (2, "TIMED_OUT", None)
    assert first.events[-1]["type"] == "ExecutionFailed"
    assert named(first) == "Check"
    assert named(second) == "Train"
    assert "checks" in tries.data_of(second.events)
    assert "checks" not in tries.data_of(first.events)


def test_a_state_that_fails_in_anothers_name_is_not_the_failed_one() -> None:
    events = Events()
    events.start()
    events.enter("Smoke test", {"run": {}})
    events.fail("SmokeTestFailed", "Golden row 1")
    events.leave("Smoke test", {})
    events.enter("Roll back", {"failure": {"Error": "SmokeTestFailed", "Cause": "Golden row 1"}})
    cause = json.dumps({"errorMessage": "Golden row 1\nRolling back: no", "errorType": "x"})
    events.fail("SmokeTestFailed", cause)
    events.end("ExecutionFailed", error="SmokeTestFailed", cause=cause)

    (only,) = tries.tries_of(events.all)
    assert named(only) == "Smoke test"


def test_a_stopped_run_is_told_with_the_state_that_it_was_in() -> None:
    events = Events()
    events.start()
    events.enter("Train", {"run": {}})
    events.begin()
    events.end("ExecutionAborted", error="StoppedByUser", cause="rebuy stop")
    detail = {"executionArn": ARN, "name": "demo-1", "status": "ABORTED", "redriveCount": None}

    subject, text = notify.ended(detail, events.all)

    assert subject == "rebuy: ABORTED at Train: StoppedByUser (demo-1)"
    assert "Cause        rebuy stop" in text
    assert "rebuy redrive demo-1" in text
    assert "https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1" in text
    assert text.count(ARN) == 2


@pytest.mark.parametrize("publish", [True, False])
def test_what_was_decided_about_a_model_is_told_with_its_reason(publish: bool) -> None:
    events = Events()
    events.start()
    answer = {"publish": publish, "reason": "AUC says so."}
    events.enter("Write audit record", {"run": {}, "judgement": {"answer": answer}})
    events.end("ExecutionSucceeded")
    detail = {"executionArn": ARN, "name": "demo-1", "status": "SUCCEEDED", "redriveCount": None}

    ((subject, text),) = notify.judged(detail, events.all)

    assert subject == f"rebuy: model {'published' if publish else 'not published'} (demo-1)"
    assert "Reason       AUC says so." in text


def test_a_run_without_a_model_tells_nothing() -> None:
    events = Events()
    events.start()
    events.enter("Write audit record", {"run": {}})
    events.end("ExecutionSucceeded")
    detail = {"executionArn": ARN, "name": "demo-1", "status": "SUCCEEDED", "redriveCount": None}

    assert notify.judged(detail, events.all) == []


def test_a_late_event_tells_of_its_own_try() -> None:
    """The event of the first end may come when the execution has been redriven already."""
    detail = {"executionArn": ARN, "name": "demo-1", "status": "FAILED", "redriveCount": 0}
    subject, _ = notify.ended(detail, redriven())
    assert subject == "rebuy: FAILED at Check: RawDataCheckFailed (demo-1)"
    subject, _ = notify.ended({**detail, "status": "TIMED_OUT", "redriveCount": 1}, redriven())
    assert subject == "rebuy: TIMED_OUT at Train: States.Timeout (demo-1)"


NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


def execution(hours_ago: float, status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    return {"status": status, "startDate": NOW - timedelta(hours=hours_ago), **more}


@pytest.mark.parametrize(
    ("hours_ago", "executions", "tell"),
    [
        (0.5, [], False),  # an upload may take its time
        (1.5, [], True),
        (2.5, [], False),  # was told
        (13.5, [], True),  # and is told again
        (1.5, [execution(1.4)], False),
        (1.5, [execution(2)], True),
        (1.5, [execution(2, "RUNNING")], False),
        (1.5, [execution(9, redriveDate=NOW - timedelta(hours=1))], False),
    ],
)
def test_an_upload_without_a_run_is_told_after_an_hour_and_twice_a_day(
    hours_ago: float, executions: list[dict[str, Any]], tell: bool
) -> None:
    newest = NOW - timedelta(hours=hours_ago)
    assert notify.waits_too_long(newest, executions, NOW) is tell


class Listed:
    """A client whose lists come from `pages`; what is deleted is remembered."""

    def __init__(self, pages: dict[str, dict[str, Any]]) -> None:
        self._pages = pages
        self.deleted: list[str] = []

    def get_paginator(self, operation: str) -> Any:
        pages = self._pages[operation]

        class Pages:
            @staticmethod
            def paginate(**_: Any) -> list[dict[str, Any]]:
                return [pages]

        return Pages()

    def delete_job(self, Name: str) -> None:  # noqa: N803
        self.deleted.append(Name)

    delete_dataset = delete_ruleset = delete_job


@pytest.mark.parametrize(
    ("running", "ahead"),
    [
        ({"me": 5}, None),
        ({"me": 5, "later": 6}, None),
        ({"me": 5, "first": 1, "second": 3}, "second"),  # the queue is one behind the other
        ({"me": 5, "a": 5}, "a"),  # the same moment: by name
        ({"me": 5, "z": 5}, None),
        ({"other": 9}, "other"),  # the list has not seen us yet
        ({}, None),
    ],
)
def test_runs_go_one_after_the_other(running: dict[str, int], ahead: str | None) -> None:
    executions = [{"executionArn": arn, "startDate": start} for arn, start in running.items()]
    client = Listed({"list_executions": {"executions": executions}})
    assert receive_trigger.earlier_run(client, "machine", "me") == ahead


def test_of_what_runs_made_in_databrew_the_newest_stay() -> None:
    jobs = [{"Name": f"rebuy-run-{n}", "CreateDate": n} for n in range(50)]
    jobs.append({"Name": "somebody-else", "CreateDate": 0})
    jobs += [{"Name": f"rebuy-run-profile-{n}", "CreateDate": n} for n in range(21)]
    rulesets = [{"Name": f"rebuy-run-profile-{n}", "CreateDate": n} for n in range(12)]
    client = Listed(
        {
            "list_jobs": {"Jobs": jobs},
            "list_datasets": {"Datasets": []},
            "list_rulesets": {"Rulesets": rulesets},
        }
    )
    old = [*(f"rebuy-run-{n}" for n in (4, 3, 2, 1, 0)), "rebuy-run-profile-0"]
    old += ["rebuy-run-profile-1", "rebuy-run-profile-0"]  # two rulesets of twelve
    assert databrew_leftovers.clear(client, "rebuy-run-") == old
    assert client.deleted == old


SINCE = datetime(2026, 11, 22, 12, tzinfo=UTC)


def crawler(state: str, began: datetime | None = None, status: str = "SUCCEEDED") -> dict[str, Any]:
    last = {} if began is None else {"LastCrawl": {"StartTime": began, "Status": status}}
    return {"State": state, **last}


@pytest.mark.parametrize(
    ("found", "step"),
    [
        (crawler("READY"), "start"),
        (crawler("READY", SINCE - timedelta(seconds=1)), "start"),  # before the plan
        (crawler("READY", SINCE - timedelta(seconds=1), "FAILED"), "start"),
        (crawler("RUNNING", SINCE - timedelta(hours=1)), "wait"),
        (crawler("STOPPING"), "wait"),
        (crawler("READY", SINCE), "finished"),
    ],
)
def test_a_crawl_counts_that_began_after_the_plan(found: dict[str, Any], step: str) -> None:
    assert crawl_raw_data.decide(found, SINCE, NOW) == step


@pytest.mark.parametrize(
    ("began", "step"),
    [
        (SINCE, "finished"),  # in whole seconds, as Glue tells them
        (SINCE + timedelta(milliseconds=200), "start"),  # of the run before, in the same second
        (SINCE + timedelta(milliseconds=800), "finished"),
    ],
)
def test_a_crawl_of_the_same_second_counts_if_it_may_be_later(began: datetime, step: str) -> None:
    planned = SINCE + timedelta(milliseconds=500)
    assert crawl_raw_data.decide(crawler("READY", began), planned, NOW) == step


def test_a_crawl_that_failed_or_took_too_long_is_told_with_what_glue_says() -> None:
    failed = crawler("READY", SINCE, "FAILED")
    failed["LastCrawl"]["ErrorMessage"] = "AccessDenied"
    with pytest.raises(crawl_raw_data.CrawlFailed, match="AccessDenied"):
        crawl_raw_data.decide(failed, SINCE, NOW)
    with pytest.raises(crawl_raw_data.CrawlTimedOut, match="The crawler is RUNNING"):
        crawl_raw_data.decide(crawler("RUNNING"), SINCE, SINCE + timedelta(hours=1, seconds=1))


CRAWL = SINCE.isoformat(sep=" ")


@pytest.mark.parametrize(
    ("step", "settled", "pause"),
    [
        ("start", None, (crawl_raw_data.POLL_SECONDS, None)),
        ("wait", CRAWL, (crawl_raw_data.POLL_SECONDS, None)),
        ("finished", None, (60, CRAWL)),
        ("finished", CRAWL, (0, CRAWL)),
        ("finished", "an older crawl", (60, CRAWL)),  # of the try before a redrive
    ],
)
def test_files_settle_once_after_a_crawl(
    step: str, settled: str | None, pause: tuple[int, str | None]
) -> None:
    found = crawler("READY", SINCE)
    assert crawl_raw_data.waits(step, found, {"settle_seconds": 60}, settled) == pause


def test_after_a_redrive_a_crawl_counts_that_began_after_it() -> None:
    run = {"crawl_not_before": "2026-11-22T08:00:00Z"}
    assert crawl_raw_data.begins(run, {}) == datetime(2026, 11, 22, 8, tzinfo=UTC)
    later = {"RedriveTime": "2026-11-23T09:00:00.750Z"}
    assert crawl_raw_data.begins(run, later) == datetime(2026, 11, 23, 9, 0, 0, 750_000, UTC)
