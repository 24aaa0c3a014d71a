"""What the console makes of the whole chain's run: charts, samples, latencies, costs."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from console import evaluation, work
from console.sections import Section
from console.server import application
from console.task import Task
from executions import costs
from executions.clients import Clients, Target
from executions.costs import of_record
from executions.history import History
from tests.pipeline.stack import Execution, Stack


@pytest.fixture(scope="module")
def sections(stack: Stack, good: Execution) -> dict[str, list[Section]]:
    """What *Work* shows, by state."""
    found: dict[str, list[Section]] = {}
    for visit in History(good.events).visits:
        for attempt in visit.attempts:
            shown = work.look_up(stack.client, Task.of(attempt))
            found.setdefault(visit.label, []).extend(shown)
    return found


def of_kind(sections: list[Section], kind: str) -> Section:
    (found,) = [section for section in sections if section["kind"] == kind]
    return found


def test_every_task_is_explained_without_a_gap(sections: dict[str, list[Section]]) -> None:
    # CloudWatch's last hours may be over in a home that was kept; all else is there.
    notes = {
        state: section["text"]
        for state, found in sections.items()
        for section in found
        if section["kind"] == "note" and "CloudWatch has no invocation" not in section["text"]
    }
    assert notes == {}


def test_model_has_all_charts_with_its_threshold_on_them(
    sections: dict[str, list[Section]],
) -> None:
    found = of_kind(sections["Train"], "model")
    own = found["models"][0]

    assert set(own["figures"]) == set(evaluation.FIGURES)
    assert set(own["point"]) == set(evaluation.POINT)
    assert all(own[part] for part in ("roc", "precision_recall", "calibration", "importance"))
    assert found["learning"]["series"]
    assert found["learning"]["best"] is not None


def test_recipes_show_rows_before_and_after(sections: dict[str, list[Section]]) -> None:
    found = of_kind(sections["Clean table (orders)"], "sample")

    assert found["before"]["columns"] == found["after"]["columns"]
    assert len(found["before"]["rows"]) == len(found["after"]["rows"]) == 10
    assert "order_id" in found["touched"]
    assert found["before"]["types"] != found["after"]["types"]


def test_cost_names_every_service_that_charges(good: Execution) -> None:
    found = costs.estimate(good.events)
    services = {line["service"] for line in found["lines"]}

    crawls = [line for line in found["lines"] if line["service"] == "Glue crawler"]
    assert services == {
        *("Step Functions", "Athena", "Glue", "Glue crawler", "DataBrew", "SageMaker", "Lambda")
    }
    assert [(line["state"], line["times"]) for line in crawls] == [("Crawl raw data", 1)]
    assert 0.05 < found["total"] < 1


def test_a_run_is_compared_by_what_its_record_holds(stack: Stack, good: Execution) -> None:
    target = Target(stack.connection.settings.endpoint_url)
    visitor = TestClient(application(Clients(target)), base_url="http://127.0.0.1")

    answer = visitor.get("/api/comparison", params={"one": good.arn, "other": good.arn})

    rows = answer.json()["rows"]
    sections = {row["section"] for row in rows}
    assert {"raw files", "rows", "features", "scores", "code", "cost"} <= sections
    assert all(row["same"] for row in rows)
    (dollars,) = [row["one"] for row in rows if row["what"] == "dollars"]
    training = [
        line for line in of_record.lines(stack.record(good.arn)) if "training" in line.service
    ]
    assert dollars > training[0].dollars > 0
