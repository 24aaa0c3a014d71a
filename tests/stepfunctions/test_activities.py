"""Activities: workers that ask for tasks, do them and answer."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import start
from localaws.stepfunctions import activities
from tests.stepfunctions.conftest import Jobs, Workflows, machine, services

Json = dict[str, Any]


@pytest.fixture
def activity(sfn: Workflows) -> str:
    return str(sfn.client.create_activity(name="count")["activityArn"])


def asking(activity: str, **more: Any) -> Json:
    return machine(A={"Type": "Task", "Resource": activity, **more})


def test_a_worker_takes_a_task_and_answers(sfn: Workflows, activity: str) -> None:
    arn = sfn.begin(asking(activity, Parameters={"n.$": "$.n"}), {"n": 2})
    task = sfn.client.get_activity_task(activityArn=activity, workerName="w")
    assert task["input"] == '{"n":2}'
    sfn.client.send_task_success(taskToken=task["taskToken"], output='{"n": 3}')

    done = sfn.wait(arn)
    assert done.output == {"n": 3}
    assert done.types[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]
    assert done.details("ActivityScheduled") == {
        "resource": activity, "input": '{"n":2}', "inputDetails": {"truncated": False},
    }  # fmt: skip
    assert done.details("ActivityStarted") == {"workerName": "w"}
    with pytest.raises(sfn.client.exceptions.TaskTimedOut):
        sfn.client.send_task_success(taskToken=task["taskToken"], output="4")


def test_a_worker_that_fails(sfn: Workflows, activity: str) -> None:
    arn = sfn.begin(asking(activity))
    task = sfn.client.get_activity_task(activityArn=activity)
    sfn.client.send_task_failure(taskToken=task["taskToken"], error="Mine", cause="c")

    done = sfn.wait(arn)
    assert (done.status, done.error, done.cause) == ("FAILED", "Mine", "c")
    assert done.details("ActivityStarted") == {}
    assert done.details("ActivityFailed") == {"error": "Mine", "cause": "c"}


def test_a_worker_that_waits_gets_the_task_when_it_comes(sfn: Workflows, activity: str) -> None:
    got: list[Json] = []
    worker = threading.Thread(
        target=lambda: got.append(sfn.client.get_activity_task(activityArn=activity))
    )
    worker.start()
    arn = sfn.begin(asking(activity))
    worker.join(5)
    sfn.client.send_task_success(taskToken=got[0]["taskToken"], output="1")
    assert sfn.wait(arn).output == 1


def test_a_worker_gets_nothing_when_no_task_comes(
    sfn: Workflows, activity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities, "POLL_SECONDS", 0.05)
    arn = sfn.begin(asking(activity))
    sfn.until(sfn.has(arn, "ActivityScheduled"))
    sfn.client.stop_execution(executionArn=arn)
    answer = sfn.client.get_activity_task(activityArn=activity)
    assert "taskToken" not in answer


def test_a_silent_worker_is_too_late(sfn: Workflows, activity: str) -> None:
    retry = [{"ErrorEquals": ["States.HeartbeatTimeout"], "MaxAttempts": 1}]
    definition = asking(activity, TimeoutSeconds=60, HeartbeatSeconds=1, Retry=retry)
    arn = sfn.begin(definition)
    late = sfn.client.get_activity_task(activityArn=activity)["taskToken"]
    again = sfn.client.get_activity_task(activityArn=activity)["taskToken"]
    with pytest.raises(sfn.client.exceptions.TaskTimedOut):
        sfn.client.send_task_heartbeat(taskToken=late)
    sfn.client.send_task_heartbeat(taskToken=again)
    sfn.client.send_task_success(taskToken=again, output="1")

    done = sfn.wait(arn)
    assert done.output == 1
    assert done.details("ActivityTimedOut") == {"error": "States.Timeout"}
    scheduled = done.details("ActivityScheduled")
    assert (scheduled["timeoutInSeconds"], scheduled["heartbeatInSeconds"]) == (60, 1)


def test_an_activity_that_is_gone_fails_the_state(sfn: Workflows, activity: str) -> None:
    arn = sfn.create(asking(activity))
    for _ in range(2):
        sfn.client.delete_activity(activityArn=activity)
    done = sfn.wait(sfn.client.start_execution(stateMachineArn=arn)["executionArn"])
    assert done.error == "States.Runtime"
    assert done.cause == (
        "An error occurred while executing the state 'A' (entered at the event id #2)."
        f" The activity {activity} does not exist."
    )


def test_activities_are_made_described_listed_and_tagged(sfn: Workflows, activity: str) -> None:
    again = sfn.client.create_activity(name="count", tags=[{"key": "late", "value": "1"}])
    described = sfn.client.describe_activity(activityArn=activity)
    assert again["creationDate"] == described["creationDate"]
    assert described["name"] == "count"
    sfn.client.create_activity(name="another")
    listed = sfn.client.list_activities()["activities"]
    assert [item["name"] for item in listed] == ["another", "count"]
    sfn.client.tag_resource(resourceArn=activity, tags=[{"key": "a", "value": "1"}])
    assert sfn.client.list_tags_for_resource(resourceArn=activity)["tags"] == [
        {"key": "a", "value": "1"}
    ]


def test_offered_and_taken_tasks_outlive_the_server(tmp_path: Path, jobs: Jobs) -> None:
    first = Workflows(start(tmp_path, services(jobs), wait_scale=0), jobs)
    activity = first.client.create_activity(name="count")["activityArn"]
    definition = asking(activity)
    one = first.begin(definition)
    token = first.client.get_activity_task(activityArn=activity)["taskToken"]
    two = first.begin(definition, {"second": True})
    first.until(first.has(two, "ActivityScheduled"))
    first.aws.stop()

    second = Workflows(start(tmp_path, services(jobs), wait_scale=0), jobs)
    try:
        second.until(lambda: _answered(second, token))
        offered = second.client.get_activity_task(activityArn=activity)
        assert json.loads(offered["input"]) == {"second": True}
        second.client.send_task_success(taskToken=offered["taskToken"], output="2")
        assert second.wait(one).output == 1
        assert second.wait(two).output == 2
    finally:
        second.aws.stop()


def _answered(sfn: Workflows, token: str) -> bool:
    """Whether the answer was taken; the execution may not be up again yet."""
    try:
        sfn.client.send_task_success(taskToken=token, output="1")
    except ClientError:
        return False
    return True
