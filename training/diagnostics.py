"""What a careful reader asks about a model beside its figures: which features move its predictions,
whether another seed would say the same, and whether more customers would make it better.

The last two train small models on a sample of the customers, so that they cost seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xgboost as xgb

from training import metrics
from training.artefact import Model
from training.sets import Array, ParquetSet

Json = dict[str, Any]

EXPLAINED_ROWS = 10_000
SAMPLE_ROWS = 80_000
ROUNDS = 40
SEEDS = (1, 2, 3)
SHARES = (0.125, 0.25, 0.5)
DIGITS = 6
LEAKING_AUC = 0.95  # on real customers no single feature reaches 0.8


def shap_summary(model: Model, holdout: ParquetSet) -> Json:
    """Per feature: the mean absolute contribution to the log-odds (XGBoost's own SHAP values) over
    at most EXPLAINED_ROWS holdout rows, evenly spread; the most important first."""
    every = max(1, holdout.rows() // EXPLAINED_ROWS)
    parts = [
        model.booster.predict(
            xgb.DMatrix(batch.every(every).matrix, feature_names=list(model.features)),
            pred_contribs=True,
        )
        for batch in holdout.batches(model.features)
    ]
    mean = np.abs(np.concatenate(parts)[:, :-1]).mean(axis=0, dtype=np.float64)
    order = np.argsort(-mean, kind="stable")
    return {model.features[i]: round(float(mean[i]), DIGITS) for i in order}


def leaks(holdout: ParquetSet) -> dict[str, float]:
    """Features that alone tell the label nearly surely, with their AUC: nothing that was known
    before an order does, so they have seen it."""
    every = max(1, holdout.rows() // EXPLAINED_ROWS)
    label = holdout.column("label")[::every]
    found = {}
    for name in holdout.features:
        values = np.nan_to_num(holdout.column(name)[::every], nan=-1.0)
        auc = metrics.auc(label, values)
        if max(auc, 1 - auc) >= LEAKING_AUC:
            found[name] = round(max(auc, 1 - auc), DIGITS)
    return found


def users_in_two_sets(users: list[Array]) -> int:
    """Users of one set who are in another one too: a model would be judged by what it has seen.
    `users` has each set's, (users,)."""
    return sum(map(len, users)) - len(np.unique(np.concatenate(users)))


def small_models(
    training: ParquetSet, validation: ParquetSet, features: tuple[str, ...], parameters: Json
) -> Json:
    """{importance_stability: {feature: {mean, deviation}}, learning_by_users: [{users, auc}]}.

    Importance is a feature's share of the gain, over models that differ in their seed alone. The
    AUC is that of the first eighth, quarter, half and all of the sampled customers, on validation.
    """
    matrix, label, user_id = _sample(training, features)
    unseen, unseen_label, _ = _sample(validation, features)
    # Customers in an order that has nothing to do with their numbers.
    customers = int(user_id.max()) + 1
    place = np.random.default_rng(0).permutation(customers)[user_id]
    found, curve = [], []
    boosters = _fits(matrix, label, features, parameters, SEEDS)
    for booster in boosters:
        gain = booster.get_score(importance_type="total_gain")
        total = sum(gain.values()) or 1.0
        found.append([gain.get(name, 0.0) / total for name in features])
    everybody = np.ones(len(place), dtype=bool)
    shares = [place < share * customers for share in SHARES]
    for some in [*shares, everybody]:
        if not 0 < label[some].sum() < some.sum():
            continue
        if some is everybody:
            booster = boosters[0]
        else:
            (booster,) = _fits(matrix[some], label[some], features, parameters, SEEDS[:1])
        auc = metrics.auc(unseen_label, booster.inplace_predict(unseen))
        curve.append({"users": int(np.unique(place[some]).size), "auc": round(auc, DIGITS)})
    mean, deviation = np.mean(found, axis=0), np.std(found, axis=0)
    order = np.argsort(-mean, kind="stable")
    return {
        "importance_stability": {
            features[i]: {
                "mean": round(float(mean[i]), DIGITS),
                "deviation": round(float(deviation[i]), DIGITS),
            }
            for i in order
        },
        "learning_by_users": curve,
    }


def _fits(
    matrix: Array, label: Array, features: tuple[str, ...], parameters: Json, seeds: tuple[int, ...]
) -> list[Any]:
    """A small model of each seed, of the same rows."""
    layout = {name: parameters[name] for name in ("nthread", "max_bin")}
    rows = xgb.QuantileDMatrix(matrix, label, feature_names=list(features), **layout)
    return [xgb.train({**parameters, "seed": seed}, rows, ROUNDS) for seed in seeds]


def _sample(data: ParquetSet, features: tuple[str, ...]) -> tuple[Array, Array, Array]:
    """(matrix, label, user) of whole users until SAMPLE_ROWS are there, `user` counted from 0.
    Users come in an order that has nothing to do with their behaviour (the files' hash)."""
    parts, rows = [], 0
    for batch in data.batches(features):
        parts.append(batch)
        rows += len(batch.label)
        if rows >= SAMPLE_ROWS:
            break
    user_id = np.concatenate([part.user_id for part in parts])
    _, user = np.unique(user_id, return_inverse=True)
    matrix = np.concatenate([part.matrix for part in parts])
    label = np.concatenate([part.label for part in parts])
    if len(user) > SAMPLE_ROWS:
        kept = user <= user[np.argsort(user, kind="stable")[SAMPLE_ROWS]]
        matrix, label, user = matrix[kept], label[kept], user[kept]
    return matrix, label, user
