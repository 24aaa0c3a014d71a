"""What the endpoint is asked: counted by its processes, summed from their log, compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console.evaluation_tables import tables
from inference import asked, serve
from inference.asked import Counts
from localaws.core.aws import LocalAws, start
from localaws.logs import api as logs
from tasks.functions import asked_lines, judge_model
from tests.model.trained import EXAMPLE_LINE, Trained
from training import drift

GROUP = "/aws/sagemaker/Endpoints/shop"
# up_orders in groups of up to 1, up to 3, above; and without a value.
PROFILE = {"features": {"up_orders": {"edges": [1.0, 3.0], "shares": [0.5, 0.25, 0.25, 0.0]}}}


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    running = start(tmp_path / "home", [logs.service])
    yield running
    running.stop()


def sent(aws: LocalAws, stream: str, lines: list[str]) -> None:
    client, now = aws.client("logs"), int(aws.clock.now().timestamp() * 1000)
    client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    events = [{"timestamp": now, "message": line} for line in lines]
    client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def test_a_line_is_written_with_the_first_row_then_once_a_minute_and_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(asked.time, "monotonic", lambda: now[0])
    counts = Counts(PROFILE["features"], "run-1")
    row = np.array([[2.0, 5.0]], dtype=np.float32)

    def ask(values: Any) -> list[Any]:
        counts.add(("up_orders", "of_another_profile"), values)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [line["counted"] for line in lines]

    assert ask(row) == [{"rows": 1, "features": {"up_orders": [0, 1, 0, 0]}}]
    assert ask(np.repeat(row, 3, axis=0)) == []
    now[0] += 60
    assert ask(np.array([[np.nan, 5.0], [9.0, 5.0]], dtype=np.float32)) == [
        {"rows": 5, "features": {"up_orders": [0, 3, 1, 1]}}  # since the last line
    ]
    counts.write()
    assert capsys.readouterr().out == ""  # nothing was asked since
    assert ask(row) == []
    counts.write()
    assert json.loads(capsys.readouterr().out)["counted"]["rows"] == 1


def test_the_lines_of_all_processes_are_summed_by_model_and_compared(
    aws: LocalAws, capsys: pytest.CaptureFixture[str]
) -> None:
    client, now = aws.client("logs"), aws.clock.now()
    nobody = asked_lines.summed(client, "shop", now)
    assert (nobody["models"], nobody["complete"]) == ({}, True)  # no log group yet
    assert drift.of_requests(PROFILE, "run-1", nobody) is None
    client.create_log_group(logGroupName=GROUP)

    for process, values in enumerate(([1, 1, 2], [9], [7, 7])):
        counts = Counts(PROFILE["features"], "run-0" if process == 2 else "run-1")
        counts.add(("up_orders",), np.array(values, dtype=np.float32)[:, None])
        other = ["GET /ping 200", '{"request_id": "a", "rows": 3}']
        sent(aws, f"server-{process}", [*other, *capsys.readouterr().out.splitlines()])

    later = asked_lines.summed(client, "shop", now + timedelta(minutes=1))
    assert later["models"] == {
        "run-1": {"rows": 4, "features": {"up_orders": [2, 1, 1, 0]}},
        "run-0": {"rows": 2, "features": {"up_orders": [0, 0, 2, 0]}},
    }
    assert asked_lines.summed(client, "shop", now + timedelta(days=8))["models"] == {}

    as_before = drift.of_requests(PROFILE, "run-1", later)
    moved = drift.of_requests(PROFILE, "run-0", later)
    assert as_before and moved
    assert (as_before["rows"], as_before["features"]) == (4, {"up_orders": 0.0})
    assert moved["features"]["up_orders"] > 0.25


def test_more_lines_than_may_be_read_are_told_as_incomplete(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.client("logs").create_log_group(logGroupName=GROUP)
    sent(aws, "s", [json.dumps({"model": "r", "counted": {"rows": 1, "features": {}}})])
    monkeypatch.setattr(asked_lines, "MOST_PAGES", 0)

    found = asked_lines.summed(aws.client("logs"), "shop", aws.clock.now())
    assert (found["complete"], found["models"]) == (False, {})


def test_a_served_model_counts_a_line_and_the_page_and_the_record_show_the_drift(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    model = serve.model_fn(str(trained.model_dir))
    serve.predict(serve.read_request(EXAMPLE_LINE, "text/csv"), model)
    line = json.loads(capsys.readouterr().out)
    assert (line["model"], line["counted"]["rows"]) == ("run-1", 1)
    assert len(line["counted"]["features"]) == 18

    models: dict[str, Any] = {}
    asked_lines.add(models, line)
    profile = json.loads((trained.model_dir / "model.json").read_text())["profile"]
    told = {"since": "2026-11-22T08:00:00Z", "complete": True, "models": models}
    found = {
        "since": "run-1",
        "features": {"up_orders": 0.01},
        "probability": 0.02,
        "asked": drift.of_requests(profile, "run-1", told),
    }
    (table,) = (t for t in tables({"drift": found}) if t["title"] == "Drift")
    assert table["columns"] == ["Of", "PSI", "Asked"]
    assert "the 1 rows that the endpoint was sent since 2026-11-22" in table["text"]
    assert all(float(row[2]) > 0.25 for row in table["rows"][1:])
    kept = judge_model.moved(found)
    assert kept and kept["holdout"] == {"feature": "up_orders", "psi": 0.01}
    assert kept["asked"]["rows"] == 1
    assert judge_model.moved(None) is None
