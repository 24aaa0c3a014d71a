"""The quantities that AWS bills, as the audit record sums them up."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.functions import jobs


class DataBrew:
    """Answers as DataBrew does of a run of so many seconds, on so many nodes."""

    def __init__(self, seconds: int | None, nodes: int | None) -> None:
        self._seconds, self._nodes = seconds, nodes

    def describe_job_run(self, **_: Any) -> dict[str, Any]:
        reference = {"Name": "clean-orders", "RecipeVersion": "1.0"}
        time = {} if self._seconds is None else {"ExecutionTime": self._seconds}
        return {"State": "SUCCEEDED", "RecipeReference": reference, **time}

    def describe_recipe(self, **_: Any) -> dict[str, Any]:
        return {"Steps": []}

    def describe_job(self, **_: Any) -> dict[str, Any]:
        return {} if self._nodes is None else {"MaxCapacity": self._nodes}


@pytest.mark.parametrize(
    ("seconds", "nodes", "node_minutes"),
    [(1, 5, 5), (60, 5, 5), (61, 5, 10), (119, 2, 4), (None, 5, 0), (30, None, 5)],
)
def test_a_recipe_job_is_billed_by_begun_minutes_of_every_node(
    seconds: int | None, nodes: int | None, node_minutes: int
) -> None:
    job = {"service": "databrew", "id": "db_1"}
    figures = jobs.look_up(lambda service: DataBrew(seconds, nodes), job, {"Name": "j"})
    assert figures["node_minutes"] == node_minutes


def test_costs_are_summed_over_states_the_checks_and_the_read_of_a_database() -> None:
    visits = [
        {"state": "a", "figures": {"scanned_bytes": 10, "charged_bytes": 100}},
        {"state": "b", "figures": {"scanned_bytes": 1, "charged_bytes": 20, "dpu_seconds": None}},
        {"state": "c", "figures": {"dpu_seconds": 7.5, "node_minutes": 5}},
        {"state": "d", "figures": {"billable_seconds": 90, "look_up_error": "gone"}},
        {"state": "e"},
    ]
    checks = {"scanned_bytes": 1000, "charged_bytes": 2000}

    assert jobs.cost_inputs(visits, checks, {"database": {"dpu_seconds": 0.5}}, 42) == {
        "athena_scanned_bytes": 1011,
        "athena_charged_bytes": 2120,
        "glue_dpu_seconds": 8.0,
        "databrew_node_minutes": 5,
        "training_billable_seconds": 90,
        "state_transitions": 42,
    }
    assert jobs.cost_inputs([], None, None, 0)["athena_charged_bytes"] == 0


def test_a_query_that_scans_is_charged_ten_megabytes_at_least() -> None:
    class Athena:
        def __init__(self, scanned: int) -> None:
            self._scanned = scanned

        def get_query_execution(self, **_: Any) -> dict[str, Any]:
            statistics = {"DataScannedInBytes": self._scanned}
            state = {"State": "SUCCEEDED"}
            return {"QueryExecution": {"Query": "q", "Status": state, "Statistics": statistics}}

    job = {"service": "athena", "id": "q-1"}
    least = 10 * 1024**2
    for scanned, charged in ((0, 0), (1, least), (least, least), (least + 1, least + 1)):
        figures = jobs.look_up(lambda service, n=scanned: Athena(n), job, {})
        assert (figures["scanned_bytes"], figures["charged_bytes"]) == (scanned, charged)
