"""A run that tunes: trials, then a model with the best one's hyperparameters, judged like any."""

from __future__ import annotations

import json

from tests.pipeline.stack import Execution, Stack


def test_the_best_trial_is_what_is_trained_judged_and_recorded(
    stack: Stack, good: Execution
) -> None:
    given = stack.fork(good, "Train a model?")
    given["run"]["options"] |= {
        "tune": {"trials": 2, "parallel": 2, "strategy": "Random", "ranges": {}},
        "publish": "never",
    }
    given["run"]["training"] = {
        "threshold": "best",
        "hyperparameters": {"num_round": "12", "max_depth": "4"},
        "ranges": {"eta": {"MinValue": "0.1", "MaxValue": "0.11"}},
    }
    stack.remove(f"runs/run={given['run']['id']}/champion/")  # the good run's; this one pins again
    run = stack.run(given, stack.machine("Train a model?"))

    assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"
    assert run.states[:3] == ["Train a model?", "Tune", "Pin live model"]
    record = stack.record(run.arn)
    tuning = record["tuning"]
    trials = next(v for v in record["states"] if v["state"] == "Tune")["figures"]["trials"]
    assert [trial["status"] for trial in trials] == ["Completed", "Completed"]
    best = max(trials, key=lambda trial: trial["objective"])
    assert (tuning["best"], tuning["auc"]) == (best["training_job"], best["objective"])
    searched = {"eta", "min_child_weight", "colsample_bytree", "subsample", "lambda"}
    for trial in trials:  # the depth is the input's, and searched no more
        assert set(trial["hyperparameters"]) == searched
        assert 0.1 <= float(trial["hyperparameters"]["eta"]) <= 0.11

    used = record["hyperparameters"]
    for name, value in best["hyperparameters"].items():
        assert float(used[name]) == float(value)
    assert (used["num_round"], used["max_depth"]) == (12, 4)
    evaluation = json.loads(
        stack.read(f"runs/run={record['run']['id']}/evaluation/evaluation.json")
    )
    assert evaluation["tuning"] == tuning["words"]
    # The same training again, on the same rows: it comes to what the trial came to.
    assert round(evaluation["validation"]["auc"], 4) == round(best["objective"], 4)
    details = evaluation["model_card"]["training_details"]["training_observations"]
    assert f"Hyperparameters of the best of 2 trials of {tuning['tuning_job']}" in details
    assert record["gate"]["objections"][0]["guard"] == "input"
    assert record["cost_inputs"]["training_billable_seconds"] >= 3
