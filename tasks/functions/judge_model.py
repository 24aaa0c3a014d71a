"""Judge model: is the new model better than the live one, on the same holdout?"""

from __future__ import annotations

import os
from typing import Any

from tasks.functions import storage

Json = dict[str, Any]

SCORES = ("auc", "logloss", "average_precision", "mean_f1", "threshold")
MINIMUM_AUC = 0.6  # below this a model knows next to nothing about repeat purchases


class TrainingStopped(Exception):
    """The training job ended without being completed, so there is no model to judge."""


def handler(event: Json, context: Any) -> Json:
    """`event`: {run, training}. Answers {publish, reason, challenger, champion}, the last two
    with the scores of SCORES on this run's holdout (champion null when nothing is live)."""
    import boto3

    status = event["training"]["status"]
    if status != "Completed":
        raise TrainingStopped(f"Training job {event['training']['training_job']} is {status}.")
    run = event["run"]
    evaluation = storage.read_json(
        boto3.client("s3"),
        os.environ["LAKE_BUCKET"],
        f"runs/run={run['id']}/evaluation/evaluation.json",
    )
    return judge(evaluation, run["options"]["publish"])


def judge(evaluation: Json, wish: str) -> Json:
    """The decision as data. `wish` is the run's option `publish`."""
    challenger = _scores(evaluation["challenger"])
    champion = _scores(evaluation["champion"]) if evaluation.get("champion") else None
    new = challenger["auc"]
    if wish == "never":
        publish, reason = False, "The input says never to publish."
    elif new < MINIMUM_AUC:
        publish, reason = False, f"AUC {new:.4f} is below the least useful {MINIMUM_AUC}."
    elif wish == "always":
        publish, reason = True, "The input says to publish whatever the comparison says."
    elif champion is None:
        publish, reason = True, f"Nothing is live yet; AUC {new:.4f}."
    elif new > champion["auc"]:
        publish, reason = True, f"AUC {new:.4f} is above the live model's {champion['auc']:.4f}."
    else:
        publish, reason = (
            False,
            f"AUC {new:.4f} is not above the live model's {champion['auc']:.4f}.",
        )
    return {"publish": publish, "reason": reason, "challenger": challenger, "champion": champion}


def _scores(figures: Json) -> Json:
    return {name: figures[name] for name in SCORES}
