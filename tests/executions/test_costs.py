"""Costs before a run and from its record, by the one price table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from executions.costs import of_plan, of_record
from executions.costs.of_plan import Plan
from executions.costs.prices import PRICES
from infrastructure import packages
from rebuy.cli import app

SMALL = Plan(
    raw_bytes=9_000_000,
    scans=(1_000_000,) * 6,
    joins=4,
    recipe_jobs=3,
    nodes=5,
    glue_dpus=2,
    transitions=150,
    functions=9,
    training_instance="ml.m5.xlarge",
    endpoint_instance="ml.m5.large",
    serverless_megabytes=None,
    runs_a_month=30,
    predictions_a_month=100_000,
)


def test_a_small_run_costs_what_services_charge_at_least() -> None:
    lines = {line.service: line for line in of_plan.costs(SMALL).run}

    # 2 DPU for the ten minutes that a crawl is billed at least, at 0.44 USD.
    assert lines["Glue crawler"].dollars == pytest.approx(2 * 10 / 60 * 0.44)
    assert lines["Glue crawler"].quantity == "at least 10 min x 2 DPU"
    assert lines["Athena"].dollars == pytest.approx(10 * 10 / 1e6 * 5)  # ten statements of 10 MB
    assert lines["Step Functions"].dollars == pytest.approx(150 * 0.000025)
    assert 0.3 < of_plan.costs(SMALL).of_run < 1.5


def test_an_endpoint_of_a_month_dominates_and_is_said_so() -> None:
    costs = of_plan.costs(SMALL)

    endpoint = next(line for line in costs.month if line.service == "SageMaker endpoint")
    assert endpoint.dollars == pytest.approx(730 * 0.115)  # about 84 USD
    assert costs.of_month == pytest.approx(
        sum(line.dollars for line in costs.month) + 30 * costs.of_run
    )
    assert costs.advice()[0].startswith("SageMaker endpoint (month): ")
    assert "endpoint_instance_type" in costs.advice()[0]


def test_a_serverless_endpoint_costs_by_the_request_alone() -> None:
    """AWS's own example: 2 GB are 0.00004 USD a second
    (https://aws.amazon.com/sagemaker/ai/pricing/)."""
    from dataclasses import replace

    costs = of_plan.costs(replace(SMALL, serverless_megabytes=2048, endpoint_instance="ml.z9"))

    (month,) = [line for line in costs.month if line.service == "SageMaker endpoint"]
    (asked,) = [line for line in costs.thousand_predictions if line.service == month.service]
    assert month.dollars == 0
    assert asked.dollars == pytest.approx(1000 * of_plan.PREDICTION_SECONDS * 0.00004)
    assert costs.unknown == []


def test_a_machine_without_a_price_is_named() -> None:
    from dataclasses import replace

    told = of_plan.costs(replace(SMALL, endpoint_instance="ml.z9.large"))

    assert told.unknown == ["ml.z9.large"]


def test_a_record_is_priced_by_its_quantities_with_the_crawl() -> None:
    trained = [{"state": "Crawl"}, {"state": "Train", "figures": {"instance_type": "ml.m5.xlarge"}}]
    used = {
        "athena_charged_bytes": 100_000_000,
        "glue_dpu_seconds": 3600,
        "databrew_node_minutes": 60,
        "training_billable_seconds": 3600,
        "state_transitions": 100,
    }

    lines = {
        line.service: round(line.dollars, 6)
        for line in of_record.lines({"cost_inputs": used, "states": trained})
    }

    assert lines == {
        "Athena": 0.0005,
        "Glue crawler": 0.146667,
        "DataBrew": 0.48,
        "Glue": 0.44,
        "SageMaker training": 0.23,
        "Step Functions": 0.0025,
    }


def test_the_command_estimates_for_a_folder_without_an_account(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(b"x" * 2_000_000)
    (tmp_path / "order_products__prior.csv").write_bytes(b"x" * 5_000_000)

    told = CliRunner().invoke(app.app, ["cost", "--data", str(tmp_path), "--runs", "4", "--json"])

    assert told.exit_code == 0, told.output
    shown = json.loads(told.stdout)
    assert {line["service"] for line in shown["run"]} >= {"Glue crawler", "DataBrew", "Athena"}
    assert shown["runs_a_month"] == 4
    assert shown["prices"]["date"] == PRICES["date"]


def test_prices_ship_with_no_function() -> None:
    assert [name for name in packages.functions(b"{}", None) if "costs" in name] == []
