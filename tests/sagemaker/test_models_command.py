"""`rebuy models` over a real registry, a real endpoint and audit records."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from configuration.errors import InputError
from rebuy.cli import models
from tasks.functions import judge_model, model_registry, published_views
from tests.model.test_gate import evaluation
from tests.sagemaker.conftest import IMAGE, SERVE
from tests.sagemaker.test_endpoints import create, make_config, model_archive, settled

Json = dict[str, Any]
SCORES = {"auc": 0.82, "logloss": 0.25, "average_precision": 0.4, "mean_f1": 0.37}
OUTPUTS = {"LakeBucket": "lake", "EndpointName": "e", "Database": "rebuy"}


@dataclass
class Here:
    """The in-process AWS as the command sees it."""

    aws: Any

    @property
    def settings(self) -> Any:
        return SimpleNamespace(stack_name="shop", endpoint_scaling=None)

    def client(self, service: str) -> Any:
        return self.aws.client(service)


def record(run: str, outcome: str, before: str | None, after: str | None, **gate: Any) -> Json:
    return {
        "run": {"id": run, "name": run},
        "execution": {"started_at": f"2026-11-2{len(run)}T08:00:00Z"},
        "written_at": f"2026-11-2{len(run)}T09:00:00.000+00:00",
        "outcome": outcome,
        "gate": {"reason": "Because.", "gain": None, "challenger": SCORES, **gate},
        "endpoint": {
            "before": {"endpoint_config": before},
            "after": {"endpoint_config": after},
        },
    }


def view(run: str) -> Json:
    sql = base64.b64encode(f'{{"originalSql": "SELECT * FROM x_{run}"}}'.encode()).decode()
    return {
        "Name": "next_baskets",
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": f"/* Presto View: {sql} */",
    }


def put(aws: Any, key: str, value: Any) -> None:
    aws.objects.put("lake", key, json.dumps(value).encode())


def registered(aws: Any, job: str, status: str) -> str:
    """A version as the gate makes it."""
    told = {"status": status, "scores": SCORES, "evaluation_uri": "s3://lake/e.json", "card": "{}"}
    training = {"training_job": job, "model_uri": "s3://lake/model.tar.gz"}
    return model_registry.register(
        aws.client("sagemaker"), "shop", {"name": job}, training, {"Image": IMAGE}, told
    )


def test_what_waits_is_approved_by_hand_and_the_gate_sees_it(lake: Any) -> None:
    here, sagemaker = Here(lake), lake.client("sagemaker")
    first = registered(lake, "rebuy-a", "PendingManualApproval")
    second = registered(lake, "rebuy-b", "PendingManualApproval")
    assert registered(lake, "rebuy-b", "PendingManualApproval") == second  # sent twice
    good = {"publish": True, "reason": "Published: it is better.", "objections": []}

    waiting = judge_model.approved(good, model_registry.look(sagemaker, first))
    assert (waiting["publish"], waiting["waits"], waiting["version"]) == (False, True, first)
    assert waiting["reason"] == "Waits for approval of shop/1 in the Model Registry: it is better."

    assert models.decide(here, "1", "Approved", "looked at it") == first  # type: ignore[arg-type]
    models.decide(here, "2", "Rejected", "too new")  # type: ignore[arg-type]
    yes, no = (
        judge_model.approved(good, model_registry.look(sagemaker, arn)) for arn in (first, second)
    )
    assert (yes["publish"], yes["waits"]) == (True, False)
    assert yes["reason"] == "Published: it is better. Approved by hand: looked at it"
    assert (no["publish"], no["waits"]) == (False, False)
    assert no["reason"] == "Not published: rejected by hand (too new), though it is better."
    with pytest.raises(InputError, match="Version 1 of shop does not wait for approval; do: none"):
        models.decide(here, "1", "Rejected", None)  # type: ignore[arg-type]
    refused = {"publish": False, "reason": "Not published: AUC.", "objections": []}
    # Nobody's yes overrules the gate's no.
    assert judge_model.approved(refused, model_registry.look(sagemaker, first))["publish"] is False


def test_the_gate_asked_again_looks_at_its_version_and_a_redrive_has_another(
    lake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boto3.client", lake.client)
    monkeypatch.setenv("LAKE_BUCKET", "lake")
    monkeypatch.setenv("MODEL_PACKAGE_GROUP", "shop")
    measured = {**evaluation(), "run": "r", "model_card": {}}
    put(lake, "runs/run=r/evaluation/evaluation.json", measured)
    options = {"publish": "if_better", "minimum_gain": 0.0, "approval": "by_hand"}
    training = {"status": "Completed", "model_uri": "s3://lake/model.tar.gz"}

    def judged(job: str, before: Json | None) -> Json:
        state = {
            "run": {"id": "r", "name": "r", "options": options},
            "training": {**training, "training_job": job},
            "judgement": before and {"answer": before},
        }
        return judge_model.handler({"state": state, "container": {"Image": IMAGE}}, None)

    first = judged("rebuy-a", None)
    assert (first["version"][-7:], first["waits"]) == ("/shop/1", True)
    models.decide(Here(lake), "1", "Approved", None)  # type: ignore[arg-type]
    again = judged("rebuy-a", first)
    assert (again["version"], again["publish"]) == (first["version"], True)
    redriven = judged("rebuy-a-2", again)
    assert (redriven["version"][-7:], redriven["waits"]) == ("/shop/2", True)


def test_models_are_listed_and_what_was_live_before_comes_back(lake: Any) -> None:
    aws, here = lake, Here(lake)
    aws.objects.put("lake", "model.tar.gz", model_archive())
    version = registered(aws, "rebuy-bb", "Approved")
    for name in ("one", "two"):
        make_config(aws, name, SERVE.format(name=name))
    create(aws, "two", "e")
    machine = aws.client("stepfunctions").create_state_machine(
        name="m",
        roleArn="arn:aws:iam::000000000000:role/states",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
    )["stateMachineArn"]
    outputs = {**OUTPUTS, "StateMachineArn": machine}
    put(aws, "audit/1_a.json", record("a", "published", None, "one"))
    gain = {"gain": 0.01, "low": 0.005, "high": 0.015}
    drift = {"holdout": {"feature": "f", "psi": 0.0312}, "asked": {"feature": "g", "psi": 0.4321}}
    more = {"version": version, "gain": gain, "drift": drift}
    put(aws, "audit/2_bb.json", record("bb", "published", "one", "two", **more))
    put(aws, "audit/3_ccc.json", record("ccc", "not better", "two", "two"))
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "rebuy"})
    glue.create_table(DatabaseName="rebuy", TableInput=view("bb"))
    before: dict[str, Json | None] = dict.fromkeys(published_views.VIEWS)
    put(aws, published_views.key("bb"), {**before, "next_baskets": view("a")})

    found = models.listed(here, outputs, 20)  # type: ignore[arg-type]
    assert [(m["run"], m["live"], m["approval"]) for m in found] == [
        ("ccc", False, None),
        ("bb", True, "Approved"),
        ("a", False, None),
    ]
    shown = io.StringIO()
    models.show(found, Console(file=shown, width=160))
    assert "live since 2026-11-22T09:00" in shown.getvalue()
    assert "+0.0100 (+0.0050 to +0.0150)" in shown.getvalue()
    assert "0.031 0.432" in shown.getvalue()

    told = models.roll_back(here, outputs, wait_seconds=120)  # type: ignore[arg-type]

    assert told == {"run": "bb", "endpoint_config": "one"}
    assert settled(aws)["EndpointConfigName"] == "one"
    now = glue.get_table(DatabaseName="rebuy", Name="next_baskets")["Table"]
    assert now["ViewOriginalText"] == view("a")["ViewOriginalText"]
    with pytest.raises(InputError, match="Nothing was live before a"):
        models.roll_back(here, outputs, wait_seconds=120)  # type: ignore[arg-type]
