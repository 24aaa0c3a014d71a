"""The gate: which of two models is published, and which guard rail keeps back a worse one."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from tasks.functions import judge_model
from training import comparison, metrics
from training.sets import Scores

Json = dict[str, Any]


def figures(auc: float) -> Json:
    return {
        "run": "r",
        "auc": auc,
        "logloss": 0.25,
        "average_precision": 0.3,
        "mean_f1": 0.37,
        "mean_f1_of_baskets": 0.39,
        "threshold": 0.2,
        "calibration_error": 0.004,
        "calibration_error_by_chance": 0.002,
        "with_18_features": {"auc": auc - 0.004},
    }


def gain(by: float) -> Json:
    return {"gain": by, "low": by - 0.002, "high": by + 0.002}


def evaluation(new: float = 0.83, live: float | None = 0.82) -> Json:
    """A challenger that is better by the difference, and as good in every other way."""
    compared = live is not None and {
        "users": 1300,
        "samples": 500,
        "level": 0.9,
        "auc": gain(new - live),
        "logloss": gain(0.001),
        "mean_f1_of_baskets": gain(0.002),
        "with_18_features": {"auc": gain(new - live)},
        "slices": [{"slice": "rare products", "users": 1100, "auc": gain(0.005)}],
    }
    return {
        "challenger": figures(new),
        "champion": None if live is None else figures(live),
        "comparison": compared or None,
        "leaks": {},
        "rules": {"order_rate": {"auc": 0.775}, "last_basket": {"mean_f1": 0.326}},
    }


@pytest.mark.parametrize(
    ("wish", "minimum", "new", "live", "publish", "reason"),
    [
        ("if_better", 0.0, 0.83, None, True, "Published: nothing is live yet, and AUC 0.8300 b"),
        ("if_better", 0.0, 0.83, 0.82, True, "Published: AUC is 0.0100 above the live model's"),
        ("if_better", 0.0, 0.83, 0.82, True, "(90% interval +0.0080 to +0.0120, over 1300 users)"),
        ("if_better", 0.0, 0.821, 0.82, False, "where more than +0.0000 must be certain."),
        ("if_better", 0.0, 0.81, 0.82, False, "AUC is 0.0100 below the live model's"),
        ("if_better", 0.009, 0.83, 0.82, False, "where more than +0.0090 must be certain."),
        ("if_better", -0.005, 0.819, 0.82, True, "0.0010 below the live model's"),
        ("always", 0.0, 0.80, 0.82, True, "whatever the comparison says (AUC 0.8000, the live"),
        ("always", 0.0, 0.55, 0.82, False, "AUC 0.5500 is below the least useful 0.6"),
        ("never", 0.0, 0.99, 0.82, False, "Not published: the input says never to publish."),
    ],
)
def test_the_gate(
    wish: str, minimum: float, new: float, live: float | None, publish: bool, reason: str
) -> None:
    decision = judge_model.judge(evaluation(new, live), wish, minimum)

    assert decision["publish"] is publish
    assert reason in decision["reason"]
    assert decision["challenger"]["auc"] == new
    assert (decision["champion"] or {}).get("auc") == live
    assert decision["reason"].count(". ") == 0  # one sentence


def worse(figures_changed: dict[str, float]) -> Json:
    """The good evaluation with some figures changed, by their paths."""
    changed = evaluation()
    for path, number in figures_changed.items():
        *parents, last = path.split(".")
        target: Any = changed
        for name in parents:
            target = target[int(name)] if name.isdigit() else target[name]
        target[last] = number
    return changed


WORSE_SLICE = {"comparison.slices.0.auc.gain": -0.05, "comparison.slices.0.auc.high": -0.01}


# The guard rail, a model with a better AUC than the live one that it alone keeps back, and why.
GUARDED = [
    (
        "leaks",
        worse({"leaks.label_of_order": 0.99}),
        "label_of_order alone tells what is bought (AUC 0.9900)",
    ),
    (
        "order_rate",
        worse(
            {
                "rules.order_rate.auc": 0.84,
                "challenger.with_18_features.auc": 0.85,
            }
        ),
        "AUC 0.8300 is not above the 0.8400 of the customer's order rate alone",
    ),
    (
        "last_basket",
        worse({"challenger.mean_f1_of_baskets": 0.3}),
        "of the last basket again",
    ),
    (
        "calibration",
        worse({"challenger.calibration_error": 0.03, "champion.calibration_error": 0.03}),
        "its probabilities are off by 0.0260, more than 0.02",
    ),
    (
        "18_numbers",
        worse({"challenger.with_18_features.auc": 0.66}),
        "asked with 18 numbers its AUC 0.6600 is not above the 0.7750 of the order rate",
    ),
    (
        "logloss_kept",
        worse({"comparison.logloss.gain": -0.01}),
        "logloss is 0.0100 worse than the live model's, more than 0.002",
    ),
    ("f1_kept", worse({"comparison.mean_f1_of_baskets.gain": -0.02}), "F1 is 0.0200 worse"),
    (
        "calibration_kept",
        worse({"challenger.calibration_error": 0.015}),
        "calibration is 0.0110 worse",
    ),
    (
        "18_numbers_kept",
        worse({"comparison.with_18_features.auc.gain": -0.01}),
        "AUC for 18 numbers is 0.0100 worse",
    ),
    ("slices_kept", worse(WORSE_SLICE), "AUC for rare products is 0.0500 worse"),
]


@pytest.mark.parametrize(("guard", "found", "reason"), GUARDED, ids=[case[0] for case in GUARDED])
def test_without_a_guard_rail_a_worse_model_is_published(
    guard: str, found: Json, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = judge_model.judge(copy.deepcopy(found), "if_better", 0.0)
    assert decision["publish"] is False
    assert [objection["guard"] for objection in decision["objections"]] == [guard]
    assert reason in decision["reason"]

    for guards in (judge_model.ALONE, judge_model.AGAINST_THE_LIVE_MODEL):
        if guard in guards:
            monkeypatch.delitem(guards, guard)
    assert judge_model.judge(found, "if_better", 0.0)["publish"] is True


def test_every_guard_rail_has_its_case() -> None:
    guards = {*judge_model.ALONE, *judge_model.AGAINST_THE_LIVE_MODEL}
    assert guards == {case[0] for case in GUARDED} | {"least_auc"}  # which the table above has


def test_a_small_slice_that_is_worse_by_chance_is_let_pass() -> None:
    found = worse({**WORSE_SLICE, "comparison.slices.0.auc.high": 0.01})
    assert judge_model.judge(found, "if_better", 0.0)["publish"] is True


# -- the interval ------------------------------------------------------------------------------


def scores(seed: int, noise: float, users: int = 400, each: int = 25) -> Scores:
    """The same labels for every seed; the noisier, the worse the probabilities."""
    truth = np.random.default_rng(1)
    count = users * each
    chance = truth.beta(0.6, 5, count)
    label = (truth.random(count) < chance).astype(np.float32)
    odds = np.log(chance / (1 - chance)) + np.random.default_rng(seed).normal(0, noise, count)
    user = np.repeat(np.arange(users), each)
    probability = (1 / (1 + np.exp(-odds))).astype(np.float32)
    return Scores(label, probability, user, np.tile(np.arange(each), users), user + 7)


def test_a_better_model_is_better_for_certain_and_luck_is_not() -> None:
    good, bad, as_bad = scores(2, 0.2), scores(3, 1.5), scores(5, 1.5)

    certain = comparison.compare(good, bad)
    for measure in ("auc", "logloss", "mean_f1_of_baskets"):
        assert 0 < certain[measure]["low"] < certain[measure]["gain"] < certain[measure]["high"]
    lucky = comparison.compare(bad, as_bad)
    assert lucky["auc"]["low"] < 0 < lucky["auc"]["high"]
    assert comparison.compare(good, good)["auc"] == {"gain": 0.0, "low": 0.0, "high": 0.0}


def test_the_same_scores_give_the_same_interval() -> None:
    assert comparison.compare(scores(2, 0.2), scores(3, 1.5)) == comparison.compare(
        scores(2, 0.2), scores(3, 1.5)
    )


def test_auc_of_a_draw_is_that_of_the_rows_written_out() -> None:
    """scikit-learn's, over every row as often as its user was drawn."""
    found = scores(3, 1.0, users=40)
    draws = comparison.Draws.of(found.user_id)
    drawn = draws.aucs(found.label, found.probability)

    times = next(draws.weights())[:5].astype(int)
    for count, auc in zip(times, drawn, strict=False):
        rows = np.repeat(np.arange(len(found.label)), count[draws.user])
        expected = metrics.auc(found.label[rows], found.probability[rows])
        assert auc == pytest.approx(expected, abs=2e-5)
