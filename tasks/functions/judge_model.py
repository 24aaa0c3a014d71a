"""Judge model: is the new model good, and better than the live one on the same holdout?

One gain decides, AUC's: its whole interval (training/comparison.py) must lie above the least gain
that was asked for. Then every guard rail of GUARDS must let the model pass; each looks at one way
in which a model with a better AUC can be a worse one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tasks.functions import model_registry, storage

Json = dict[str, Any]
Guard = Callable[[Json], str | None]  # evaluation.json to an objection, or None

SCORES = ("auc", "logloss", "average_precision", "mean_f1", "mean_f1_of_baskets", "threshold")
MINIMUM_AUC = 0.6  # below this a model knows next to nothing about repeat purchases
# So much worse than the live model is taken for the sake of the better AUC.
LOGLOSS_LOSS = 0.002
F1_LOSS = 0.005
LINE_AUC_LOSS = 0.005
SLICE_AUC_LOSS = 0.01
# How far a probability may be from what is bought, beyond what chance alone would show, twice over.
CALIBRATION_ERROR = 0.02
CALIBRATION_LOSS = 0.005
CHANCES = 2


class TrainingStopped(Exception):
    """The training job ended without being completed, so there is no model to judge."""


class AnotherRunsEvaluation(Exception):
    """The evaluation is not of this run's model, so its figures say nothing about it."""


@dataclass(frozen=True)
class Objection:
    """A guard rail's name, and its reason as the rest of a sentence."""

    guard: str
    reason: str


def handler(event: Json, context: Any) -> Json:
    """`event`: {state, container}. Answers {publish, waits, reason, objections, version, approval,
    gain, drift, challenger, champion}: `reason` is a sentence, `version` the ARN in the Model
    Registry, `waits` whether somebody is still to approve it there, `gain` {gain, low, high} in
    AUC, `drift` what moved most since the live model was made (`moved`); the last two have the
    scores of SCORES on this run's holdout (`gain`, `drift` and `champion` null when nothing is
    live)."""
    import boto3

    state = event["state"]
    run, training = state["run"], state["training"]
    if training["status"] != "Completed":
        raise TrainingStopped(f"Training job {training['training_job']} is {training['status']}.")
    s3, bucket = boto3.client("s3"), os.environ["LAKE_BUCKET"]
    key = f"runs/run={run['id']}/evaluation/evaluation.json"
    evaluation = storage.read_json(s3, bucket, key)
    if (measured := evaluation.get("run")) != run["name"]:
        raise AnotherRunsEvaluation(
            f"s3://{bucket}/{key} is of {measured}, and this run is {run['name']}."
        )
    options = run["options"]
    decision = judge(evaluation, options["publish"], options["minimum_gain"])
    sagemaker = boto3.client("sagemaker")
    arn = ((state.get("judgement") or {}).get("answer") or {}).get("version")
    version = arn and model_registry.look(sagemaker, arn)
    if not version or version.training_job != training["training_job"]:  # a redrive's is another
        passed = model_registry.STATUSES[options["approval"]]
        arn = model_registry.register(
            sagemaker,
            os.environ["MODEL_PACKAGE_GROUP"],
            run,
            training,
            event["container"],
            {
                "status": passed if decision["publish"] else "Rejected",
                "scores": decision["challenger"],
                "evaluation_uri": f"s3://{bucket}/{key}",
                "card": json.dumps(evaluation["model_card"]),
            },
        )
        version = model_registry.look(sagemaker, arn)
    return approved(decision, version)


def approved(decision: Json, version: model_registry.Version) -> Json:
    """The decision, with what the registry says of its version: the gate's no is final, its yes
    may wait for somebody's, and be overruled."""
    found = {**decision, "waits": False, "version": version.arn, "approval": version.status}
    if not decision["publish"] or version.status == "Approved":
        said = f" Approved by hand: {version.said}" if version.said else ""
        return {**found, "reason": decision["reason"] + said}
    reason = decision["reason"].removeprefix("Published: ").rstrip(".")
    if version.status == "Rejected":
        said = f" ({version.said})" if version.said else ""
        return {
            **found,
            "publish": False,
            "reason": f"Not published: rejected by hand{said}, though {reason}.",
            "objections": [{"guard": "approval", "reason": f"rejected by hand{said}"}],
        }
    where = version.arn.rpartition(":model-package/")[2]
    return {
        **found,
        "publish": False,
        "waits": True,
        "reason": f"Waits for approval of {where} in the Model Registry: {reason}.",
    }


def judge(evaluation: Json, wish: str, minimum_gain: float) -> Json:
    """The decision as data. `wish` and `minimum_gain` are the run's options `publish` and
    `minimum_gain`. Every guard is asked, and every objection told."""
    compared = evaluation.get("comparison")
    objections = refused_by(ALONE, evaluation)
    if compared and wish != "always":
        objections += refused_by(AGAINST_THE_LIVE_MODEL, evaluation)
        if compared["auc"]["low"] <= minimum_gain:
            objections.insert(0, Objection("gain", no_gain(compared, minimum_gain)))
    if wish == "never":
        objections.insert(0, Objection("input", "the input says never to publish"))
    return {
        "publish": not objections,
        "reason": sentence(evaluation, objections, wish),
        "objections": [{"guard": o.guard, "reason": o.reason} for o in objections],
        "gain": compared and compared["auc"],
        "drift": moved(evaluation.get("drift")),
        "challenger": _scores(evaluation["challenger"]),
        "champion": _scores(evaluation["champion"]) if evaluation["champion"] else None,
    }


def moved(drift: Json | None) -> Json | None:
    """{holdout, asked}, each {feature, psi} of the feature that moved most; of what the endpoint
    was asked also {rows, by_chance}, and null where nobody asked."""
    if drift is None:
        return None
    asked = drift.get("asked")
    return {
        "holdout": _first(drift["features"]),
        "asked": asked
        and {
            **(_first(asked["features"]) or {}),
            "rows": asked["rows"],
            "by_chance": asked["by_chance"],
        },
    }


def _first(features: dict[str, float]) -> Json | None:
    name = next(iter(features), None)
    return None if name is None else {"feature": name, "psi": features[name]}


def refused_by(guards: dict[str, Guard], evaluation: Json) -> list[Objection]:
    found = ((name, guard(evaluation)) for name, guard in guards.items())
    return [Objection(name, reason) for name, reason in found if reason is not None]


def sentence(evaluation: Json, objections: list[Objection], wish: str) -> str:
    """Why, in one sentence."""
    if objections:
        return f"Not published: {'; '.join(o.reason for o in objections)}."
    auc = evaluation["challenger"]["auc"]
    compared = evaluation.get("comparison")
    if compared is None:
        return f"Published: nothing is live yet, and AUC {auc:.4f} beats the simple rules."
    if wish == "always":
        return (
            f"Published: the input says to publish whatever the comparison says (AUC {auc:.4f}, "
            f"the live model's {evaluation['champion']['auc']:.4f})."
        )
    return (
        f"Published: {gained(compared)}, and it is not worse by logloss, F1, calibration, slices "
        "or the 18 numbers."
    )


def gained(compared: Json) -> str:
    gain = compared["auc"]
    side = "above" if gain["gain"] >= 0 else "below"
    return (
        f"AUC is {abs(gain['gain']):.4f} {side} the live model's ({compared['level']:.0%} interval "
        f"{gain['low']:+.4f} to {gain['high']:+.4f}, over {compared['users']} users)"
    )


def no_gain(compared: Json, minimum_gain: float) -> str:
    return f"{gained(compared)}, where more than {minimum_gain:+.4f} must be certain"


# -- guard rails -------------------------------------------------------------------------------


def knows_something(evaluation: Json) -> str | None:
    auc = evaluation["challenger"]["auc"]
    return f"AUC {auc:.4f} is below the least useful {MINIMUM_AUC}" if auc < MINIMUM_AUC else None


def beats_the_order_rate(evaluation: Json) -> str | None:
    ours, rule = evaluation["challenger"]["auc"], evaluation["rules"]["order_rate"]["auc"]
    if ours > rule:
        return None
    return f"AUC {ours:.4f} is not above the {rule:.4f} of the customer's order rate alone"


def beats_the_last_basket(evaluation: Json) -> str | None:
    ours = evaluation["challenger"]["mean_f1_of_baskets"]
    rule = evaluation["rules"]["last_basket"]["mean_f1"]
    if ours > rule:
        return None
    return f"F1 {ours:.4f} is not above the {rule:.4f} of the last basket again"


def has_not_seen_the_label(evaluation: Json) -> str | None:
    leaks = evaluation["leaks"]
    if not leaks:
        return None
    name, auc = max(leaks.items(), key=lambda item: float(item[1]))
    return f"{name} alone tells what is bought (AUC {auc:.4f}), so it has seen the order"


def is_calibrated(evaluation: Json) -> str | None:
    error = _beyond_chance(evaluation["challenger"])
    if error <= CALIBRATION_ERROR:
        return None
    return f"its probabilities are off by {error:.4f}, more than {CALIBRATION_ERROR}"


def answers_a_line(evaluation: Json) -> str | None:
    """A model of more features is also asked with 18 numbers."""
    ours = _line(evaluation["challenger"])["auc"]
    rule = evaluation["rules"]["order_rate"]["auc"]
    if ours > rule:
        return None
    return f"asked with 18 numbers its AUC {ours:.4f} is not above the {rule:.4f} of the order rate"


def keeps_logloss(evaluation: Json) -> str | None:
    gain = evaluation["comparison"]["logloss"]["gain"]
    return _worse("logloss", -gain, LOGLOSS_LOSS) if gain < -LOGLOSS_LOSS else None


def keeps_f1(evaluation: Json) -> str | None:
    gain = evaluation["comparison"]["mean_f1_of_baskets"]["gain"]
    return _worse("F1", -gain, F1_LOSS) if gain < -F1_LOSS else None


def keeps_calibration(evaluation: Json) -> str | None:
    loss = _beyond_chance(evaluation["challenger"]) - _beyond_chance(evaluation["champion"])
    return _worse("calibration", loss, CALIBRATION_LOSS) if loss > CALIBRATION_LOSS else None


def keeps_the_line(evaluation: Json) -> str | None:
    gain = evaluation["comparison"]["with_18_features"]["auc"]["gain"]
    return _worse("AUC for 18 numbers", -gain, LINE_AUC_LOSS) if gain < -LINE_AUC_LOSS else None


def keeps_every_slice(evaluation: Json) -> str | None:
    """A slice is small: it must be worse by more than chance, too."""
    worse = [
        part
        for part in evaluation["comparison"]["slices"]
        if part["auc"]["gain"] < -SLICE_AUC_LOSS and part["auc"]["high"] < 0
    ]
    if not worse:
        return None
    worst = min(worse, key=lambda part: part["auc"]["gain"])
    return _worse(f"AUC for {worst['slice']}", -worst["auc"]["gain"], SLICE_AUC_LOSS)


# Also when nothing is live, and whatever the input says.
ALONE: dict[str, Guard] = {
    "least_auc": knows_something,
    "leaks": has_not_seen_the_label,
    "order_rate": beats_the_order_rate,
    "last_basket": beats_the_last_basket,
    "calibration": is_calibrated,
    "18_numbers": answers_a_line,
}
AGAINST_THE_LIVE_MODEL: dict[str, Guard] = {
    "logloss_kept": keeps_logloss,
    "f1_kept": keeps_f1,
    "calibration_kept": keeps_calibration,
    "18_numbers_kept": keeps_the_line,
    "slices_kept": keeps_every_slice,
}


def _worse(what: str, loss: float, taken: float) -> str:
    return f"{what} is {loss:.4f} worse than the live model's, more than {taken}"


def _beyond_chance(figures: Json) -> float:
    error: float = figures["calibration_error"] - CHANCES * figures["calibration_error_by_chance"]
    return max(0.0, error)


def _line(figures: Json) -> Json:
    """The figures for 18 numbers: the same, of a model that takes no more."""
    found: Json = figures.get("with_18_features") or figures
    return found


def _scores(figures: Json) -> Json:
    return {name: figures[name] for name in SCORES}
