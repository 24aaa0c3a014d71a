"""The training job: `python -m train --name value ...` inside the SageMaker XGBoost container.

Where things are, all told by SageMaker's toolkit in the environment:

* SM_CHANNEL_TRAINING, _VALIDATION, _HOLDOUT, _SCORING: folders of Parquet rows
  (`training.features`); SM_CHANNEL_PRODUCTS: the catalogue's names; SM_CHANNEL_CHAMPION: the live
  model's model.tar.gz, or none.json when there is none.
* SM_MODEL_DIR (/opt/ml/model): `xgboost-model`, `model.json` and `customers/`
  (`training.customers`) are written here; the service packs the folder as model.tar.gz.
* evaluation.json, golden.json and the table next_baskets go to the checkpoint folder, which the
  service copies to CheckpointConfig's S3Uri as plain files: `--evaluation_dir` if given, else
  SM_CHECKPOINT_CONFIG_LOCAL_PATH if set, else `checkpoints` beside SM_MODEL_DIR, which on AWS is
  /opt/ml/checkpoints.
* SM_OUTPUT_DIR (/opt/ml/output): if set, a failure's message is written to `failure` in it, the
  first 1,024 characters of which become the job's FailureReason. The toolkit may write it after us.

Arguments: the hyperparameters (`training.hyperparameters.RULES`), `--run` (the model's name,
default TRAINING_JOB_NAME), `--evaluation_dir`, and `--tuning`, words about the tuning job that
found the hyperparameters. With `--trial yes` the job is one trial of a tuning job: it needs the
channels training and validation alone, and writes the model and nothing about it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

if not __package__:
    # SageMaker unpacks this folder under a name of its own and runs `train` at its top level.
    # The modules beside this one call the folder `training`, here as in the repository.
    folder = ModuleType("training")
    folder.__path__ = [str(Path(__file__).resolve().parent)]
    sys.modules["training"] = folder

# Threads that wait for one another sleep instead of spinning: on a machine that also does other
# work (a laptop, a CI runner) the job takes half the time. Read once, when XGBoost loads OpenMP.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import xgboost as xgb

from training import (
    card,
    comparison,
    customers,
    diagnostics,
    drift,
    evaluation,
    metrics,
    rules,
    slices,
)
from training.artefact import DESCRIPTION_FILE, MODEL_FILE, Model, booster_from, load_champion
from training.errors import TrainingError
from training.hyperparameters import (
    Value,
    booster_parameters,
    read_hyperparameters,
    split_arguments,
)
from training.sets import CHANNELS, BatchIterator, ParquetSet, open_set

Json = dict[str, Any]

FAILURE_CHARACTERS = 1024
PRINT_EVERY_ROUNDS = 10
# AUC sorts the rows it is measured on, in every round: so many tell its curve, and when to stop.
CURVE_ROWS = 20_000
STOPPING_ROWS = 200_000
# Where splits may lie is told by so many rows as well as by all: sorting them is half of the work
# of laying out a large set.
CUT_ROWS = 500_000


@dataclass(frozen=True)
class Job:
    """One training job: its settings, and the folders it reads and writes."""

    hyperparameters: dict[str, Value]
    channels: dict[str, str | None]
    model_dir: Path
    evaluation_dir: Path
    run: str
    trial: bool = False
    tuning: str | None = None


def read_job(arguments: Sequence[str], environment: Mapping[str, str]) -> Job:
    """The job that the arguments and SageMaker's environment describe.

    Raises TrainingError for an unknown argument or a value out of range, by name.
    """
    given = split_arguments(arguments)
    model_dir = Path(environment.get("SM_MODEL_DIR", "/opt/ml/model"))
    beside = str(model_dir.parent / "checkpoints")
    evaluation_dir = given.pop(
        "evaluation_dir", environment.get("SM_CHECKPOINT_CONFIG_LOCAL_PATH", beside)
    )
    run = given.pop("run", environment.get("TRAINING_JOB_NAME", "")).strip()
    if not run:
        raise TrainingError("The run has no name: give --run, or set TRAINING_JOB_NAME.")
    trial = given.pop("trial", "no")
    if trial not in ("yes", "no"):
        raise TrainingError(f"--trial is {trial!r}; accepted: yes or no.")
    tuning = given.pop("tuning", None)
    return Job(
        hyperparameters=read_hyperparameters(given),
        channels={name: environment.get(f"SM_CHANNEL_{name.upper()}") for name in CHANNELS},
        model_dir=model_dir,
        evaluation_dir=Path(evaluation_dir),
        run=run,
        trial=trial == "yes",
        tuning=tuning,
    )


def try_out(job: Job) -> None:
    """One trial of a tuning job. Its result is the line that `fit` prints: customers of the holdout
    are none of its business."""
    training, validation = (open_set(n, job.channels[n]) for n in ("training", "validation"))
    booster, _ = fit(training, validation, training.features, job.hyperparameters)
    job.model_dir.mkdir(parents=True, exist_ok=True)
    (job.model_dir / MODEL_FILE).write_bytes(bytes(booster.save_raw(raw_format="ubj")))


def train(job: Job) -> Json:
    """Trains, chooses the threshold, evaluates, scores every customer to predict, writes all of
    it; returns the evaluation."""
    nthread = int(job.hyperparameters["nthread"])
    sets = {n: open_set(n, job.channels[n]) for n in ("training", "validation", "holdout")}
    training, validation, holdout = sets.values()
    scoring = open_set("scoring", job.channels["scoring"])
    products = customers.read_products(job.channels["products"])
    features = training.features
    for other in (validation, holdout, scoring):
        if set(other.features) != set(features):
            odd = sorted(set(other.features) ^ set(features))
            raise TrainingError(
                f"The {other.name} and the training set differ in the columns {', '.join(odd)}."
            )
    surveys = {name: data.survey() for name, data in sets.items()}
    counts = {name: found for name, (found, _) in surveys.items()}
    overlapping = diagnostics.users_in_two_sets([users for _, users in surveys.values()])
    if overlapping:
        raise TrainingError(
            f"{overlapping} users are in more than one of the sets {', '.join(sets)}: the model "
            "would be judged by what it has learned."
        )
    champion = load_champion(job.channels["champion"], nthread)
    if champion:
        evaluation.check_champion_features(champion, holdout)

    started = time.monotonic()
    booster, history = fit(training, validation, features, job.hyperparameters)
    training_seconds = time.monotonic() - started
    parameters = booster_parameters(job.hyperparameters)
    small_models = diagnostics.small_models(training, validation, features, parameters)
    training.forget()

    # From here on the model is what was saved, read back: that is what will be served.
    raw = bytes(booster.save_raw(raw_format="ubj"))
    saved = booster_from(raw, nthread)
    # Most of what follows keeps one processor busy: customers are scored beside the evaluation, by
    # a booster of their own (only some ways of asking one take several threads).
    beside = ThreadPoolExecutor(1)
    scored = beside.submit(customers.baskets, scoring, booster_from(raw, nthread), features)
    seen = evaluation.score(validation, saved, features)
    given = job.hyperparameters["threshold"]
    if isinstance(given, float):
        threshold = given
    else:
        threshold, _ = metrics.best_threshold(seen.label, seen.probability, seen.order_id)
    challenger = Model(saved, features, threshold, job.run)
    unseen = evaluation.score(holdout, saved, features)
    measured = evaluation.report(challenger, unseen)
    parts = slices.masks(holdout, unseen.label, products.departments(unseen.product_id))
    measured["slices"] = slices.measured(unseen, parts)
    as_line = evaluation.of_the_line(challenger, holdout, unseen, measured)
    measured["shap"] = diagnostics.shap_summary(challenger, holdout)
    measured_champion, compared, drifted = None, None, None
    if champion:
        theirs = evaluation.score(holdout, champion.booster, champion.features)
        measured_champion = evaluation.report(champion, theirs)
        measured_champion["slices"] = slices.measured(theirs, parts)
        their_line = evaluation.of_the_line(champion, holdout, theirs, measured_champion)
        compared = comparison.report(unseen, theirs, as_line, their_line, parts)
        if champion.profile:
            drifted = drift.since(champion, champion.profile, holdout, theirs)

    description = {
        "features": list(features),
        "threshold": threshold,
        "run": job.run,
        "model_sha256": hashlib.sha256(raw).hexdigest(),
        "nullable": training.nullable(),
        "trained_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "versions": evaluation.versions(),
        # For whoever asks the endpoint what answers there.
        "trained_on": {name: counts["training"][name] for name in ("rows", "users")},
        "holdout": {name: measured[name] for name in ("auc", "average_precision", "mean_f1")},
        "profile": drift.profile(holdout, features, unseen),
    }
    outcome = {
        "run": job.run,
        "challenger": measured,
        "champion": measured_champion,
        "comparison": compared,
        "drift": drifted,
        "leaks": diagnostics.leaks(holdout),
        "rules": rules.measured(holdout, seen, validation, unseen),
        "validation": metrics.measures(seen.label, seen.probability, seen.order_id, threshold),
        **{of: {name: c[of] for name, c in counts.items()} for of in counts["holdout"]},
        "features": list(features),
        "hyperparameters": job.hyperparameters,
        "tuning": job.tuning,
        "best_iteration": booster.num_boosted_rounds() - 1,
        "learning_curve": evaluation.learning_curve(history),
        "training_seconds": round(training_seconds, 3),
        "trained_at": description["trained_at"],
        "versions": description["versions"],
    }
    outcome |= small_models
    outcome["model_card"] = card.of(outcome)
    golden = evaluation.golden(challenger, holdout, unseen)
    baskets = scored.result()
    outcome["next_baskets"] = customers.summary(baskets)

    for folder in (job.model_dir, job.evaluation_dir):
        folder.mkdir(parents=True, exist_ok=True)
    (job.model_dir / MODEL_FILE).write_bytes(raw)
    write_json(job.model_dir / DESCRIPTION_FILE, description)
    table = job.evaluation_dir / customers.TABLE
    written = beside.submit(customers.write_table, table, baskets, products, job.run)
    customers.write_store(job.model_dir / customers.FOLDER, baskets, scoring, products)
    written.result()
    write_json(job.evaluation_dir / "golden.json", golden)
    write_json(job.evaluation_dir / "evaluation.json", outcome)
    return outcome


def fit(
    training: ParquetSet,
    validation: ParquetSet,
    features: tuple[str, ...],
    hyperparameters: dict[str, Value],
) -> tuple[Any, dict[str, dict[str, list[float]]]]:
    """The booster, cut at the round with the best validation AUC, and each round's metrics.

    The same rows, hyperparameters and XGBoost give the same bytes. Of evenly spread rows at most
    CUT_ROWS of training say where splits may lie; metrics are measured on CURVE_ROWS of these,
    which decide nothing, and on STOPPING_ROWS of validation.
    """
    layout = {name: int(hyperparameters[name]) for name in ("nthread", "max_bin")}

    def laid_out(*data: Any, ref: Any = None) -> Any:
        names = list(features) if len(data) > 1 else None
        return xgb.QuantileDMatrix(*data, feature_names=names, ref=ref, **layout)

    matrix, label = training.spread(features, CUT_ROWS)
    cuts = laid_out(matrix, label) if len(label) < training.rows() else None
    rows = laid_out(BatchIterator(training, features), ref=cuts)
    every = -(-len(label) // CURVE_ROWS)
    sample = laid_out(matrix[::every], label[::every], ref=rows)
    unseen = laid_out(*validation.spread(features, STOPPING_ROWS), ref=rows)
    del matrix, label, cuts
    history: dict[str, dict[str, list[float]]] = {}
    booster = xgb.train(
        booster_parameters(hyperparameters),
        rows,
        num_boost_round=int(hyperparameters["num_round"]),
        evals=[(sample, "training"), (unseen, "validation")],
        evals_result=history,
        verbose_eval=PRINT_EVERY_ROUNDS,
        callbacks=[
            xgb.callback.EarlyStopping(
                rounds=int(hyperparameters["early_stopping_rounds"]),
                metric_name="auc",
                data_name="validation",
                save_best=True,
            )
        ],
    )
    # The last value of a log is a job's: here the model's own, and not the last round's.
    best = int(booster.num_boosted_rounds()) - 1
    print(f"[{best}]\tvalidation-auc:{history['validation']['auc'][best]:.5f}", flush=True)
    return booster, history


def write_json(path: Path, value: Json) -> None:
    """Strict JSON: a NaN is an error here, not a surprise for the reader."""
    path.write_text(json.dumps(value, allow_nan=False, indent=1) + "\n", encoding="utf-8")


def summary(outcome: Json) -> str:
    """The lines a person looks for in the log."""
    lines = []
    for who in ("challenger", "champion"):
        found = outcome[who]
        lines.append(
            f"{who} {found['run']}: holdout auc {found['auc']:.5f}, logloss "
            f"{found['logloss']:.5f}, mean F1 per order {found['mean_f1']:.5f} "
            f"at threshold {found['threshold']:.4f}"
            if found
            else f"{who}: none"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs the job; 0, or 1 with the reason on stderr and in SM_OUTPUT_DIR/failure."""
    try:
        job = read_job(arguments, environment)
        if job.trial:
            try_out(job)
            return 0
        outcome = train(job)
    except (TrainingError, xgb.core.XGBoostError, OSError) as error:
        reason = f"{type(error).__name__}: {error}"
        print(reason, file=sys.stderr, flush=True)
        if environment.get("SM_OUTPUT_DIR"):
            output = Path(environment["SM_OUTPUT_DIR"])
            output.mkdir(parents=True, exist_ok=True)
            (output / "failure").write_text(reason[:FAILURE_CHARACTERS], encoding="utf-8")
        return 1
    print(summary(outcome), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
