"""Two runs side by side: what is the same, what differs, what one of them has not."""

from __future__ import annotations

import copy
import io
from typing import Any

from rich.console import Console

from executions.comparison import compare
from rebuy.cli import comparing

RECORD: dict[str, Any] = {
    "status": "SUCCEEDED",
    "outcome": "published",
    "error": None,
    "failed_state": None,
    "inputs": [{"key": "raw/orders.csv", "sha256": "a" * 64}],
    "outputs": [{"dataset": "clean/orders", "rows": 1000}, {"dataset": "sets/training", "rows": 9}],
    "metrics": {"challenger": {"auc": 0.81, "feature_importance": {"gain": {"f": 3.0, "g": 1.0}}}},
    "hyperparameters": {"eta": 0.05},
    "versions": {"xgboost": "3.0.5"},
    "code": {"definition_sha256": "d" * 64, "files": {"sql/a.sql": "b" * 64}},
    "states": [
        {"state": "Train", "seconds": 2.0},
        {"state": "Train", "seconds": 1.5},
        {"state": "Write audit record", "seconds": None},
    ],
    "cost_inputs": {"glue_dpu_seconds": 3600.0, "athena_charged_bytes": 0},
}


def changed() -> dict[str, Any]:
    record = copy.deepcopy(RECORD)
    record["outputs"][0]["rows"] = 1001
    record["metrics"]["challenger"]["feature_importance"]["gain"] = {"f": 1.0, "g": 1.0}
    record["code"]["files"] = {"sql/a.sql": "c" * 64, "sql/b.sql": "e" * 64}
    record["cost_inputs"]["glue_dpu_seconds"] = 7200.0
    return record


def test_what_differs_is_told() -> None:
    rows = {(row.section, row.what): row for row in compare(RECORD, changed())}
    differing = {key: (row.one, row.other) for key, row in rows.items() if not row.same}
    dollars = differing.pop(("cost", "dollars"))
    assert differing == {
        ("rows", "clean/orders"): (1000, 1001),
        ("features", "f"): (0.75, 0.5),
        ("features", "g"): (0.25, 0.5),
        ("code", "sql/a.sql"): ("b" * 64, "c" * 64),
        ("code", "sql/b.sql"): (None, "e" * 64),
        ("cost", "glue_dpu_seconds"): (3600.0, 7200.0),
    }
    assert round(dollars[1] - dollars[0], 2) == 0.44  # a DPU hour
    assert rows["seconds", "Train"].one == 3.5


def test_a_run_is_the_same_as_itself_and_a_failed_one_lacks_what_it_did_not_reach() -> None:
    assert all(row.same for row in compare(RECORD, RECORD))
    failed = {"status": "FAILED", "failed_state": "Train", "metrics": None, "code": None}
    rows = {(row.section, row.what): row for row in compare(RECORD, failed)}
    assert (rows["scores", "auc"].one, rows["scores", "auc"].other) == (0.81, None)
    assert rows["rows", "clean/orders"].other is None


def test_the_terminal_shows_what_differs_and_counts_what_does_not() -> None:
    console = Console(width=100, file=io.StringIO())
    rows = compare(RECORD, changed())
    comparing.show(("monday", "tuesday"), rows, console, every=False)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1,000" in text and "1,001" in text
    assert "the same in both (1)" in text  # the raw file
    assert "sets/training" not in text
