"""The XGBoost image's own training, of jobs that have no script: its algorithm mode. Runs inside
"the container".

github.com/aws/sagemaker-xgboost-container: algorithm_mode/train.py, hyperparameter_validation.py,
channel_validation.py; data_utils.py, callback.py.
"""

from __future__ import annotations

import ast
import csv
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import xgboost

MODEL = "xgboost-model"
FORMATS = {
    **dict.fromkeys(("csv", "text/csv"), "csv"),
    **dict.fromkeys(("libsvm", "text/libsvm", "text/x-libsvm"), "libsvm"),
    **dict.fromkeys(("parquet", "application/x-parquet"), "parquet"),
}
MAXIMISED = frozenset("auc aucpr map ndcg".split())  # noqa: SIM905 - a list a person can read
METRICS = (
    *("aft-nloglik", "auc", "aucpr", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik"),
    *("interval-regression-accuracy", "logloss", "mae", "map", "mape", "merror", "mlogloss"),
    *("mphe", "ndcg", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik"),
)
OBJECTIVES = (
    *("binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax"),
    *("multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear"),
    *("reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror"),
    *("reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox"),
)


class UserError(Exception):
    """The caller's mistake; the message becomes the job's FailureReason."""


Parse = Callable[[str, str], Any]


def number(kind: type, least: float | None = None, most: float | None = None,
           *, above: bool = False, below: bool = False) -> Parse:  # fmt: skip
    """A whole number or one with a fraction; `above`, `below`: the bound itself is not taken."""

    def parse(name: str, text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            raise UserError(f"Hyperparameter {name}: could not parse value {text!r}") from None
        low = least is not None and (value < least or (above and value == least))
        high = most is not None and (value > most or (below and value == most))
        if low or high or value != value:
            raise UserError(f"Hyperparameter {name}: {value} is not in range {least} to {most}")
        return value

    return parse


def one_of(*taken: str) -> Parse:
    def parse(name: str, text: str) -> str:
        if text not in taken:
            raise UserError(f"Hyperparameter {name}: {text} is none of {', '.join(taken)}")
        return text

    return parse


def metrics(name: str, text: str) -> list[str]:
    """`auc,error@0.6`"""
    found = [part.strip() for part in text.split(",")]
    for metric in found:
        base, at, threshold = metric.partition("@")
        if base not in METRICS or (at and base not in ("error", "ndcg", "map")):
            raise UserError(f"Hyperparameter {name}: {metric} is none of {', '.join(METRICS)}")
        if at:
            number(float)(name, threshold)
    return found


def numbers(name: str, text: str) -> Any:
    """`(1,-1,0)` or `[[1,2],[3]]`"""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise UserError(f"Hyperparameter {name}: could not parse value {text!r}") from None


SHARE = number(float, 0, 1)
SOME = number(float, 0, 1, above=True)
POSITIVE = number(float, 0)
FLAG = number(int, 0, 1)
COUNT = number(int, 1)
HYPERPARAMETERS: dict[str, Parse] = {
    "num_round": COUNT,
    "csv_weights": FLAG,
    "early_stopping_rounds": COUNT,
    "booster": one_of("gbtree", "gblinear", "dart"),
    "verbosity": number(int, 0, 3),
    "nthread": COUNT,
    "eta": SHARE,
    **dict.fromkeys(("gamma", "min_child_weight", "max_delta_step", "lambda", "alpha"), POSITIVE),
    **dict.fromkeys(("max_depth", "max_leaves", "max_bin"), number(int, 0)),
    **dict.fromkeys(
        ("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode"), SOME
    ),
    "tree_method": one_of("auto", "exact", "approx", "hist"),
    "scale_pos_weight": number(float, 0, above=True),
    "grow_policy": one_of("depthwise", "lossguide"),
    "monotone_constraints": numbers,
    "interaction_constraints": numbers,
    "sample_type": one_of("uniform", "weighted"),
    "normalize_type": one_of("tree", "forest"),
    **dict.fromkeys(("rate_drop", "skip_drop"), SHARE),
    "one_drop": FLAG,
    "tweedie_variance_power": number(float, 1, 2, above=True, below=True),
    "objective": one_of(*OBJECTIVES),
    "num_class": number(int, 2),
    "base_score": POSITIVE,
    "eval_metric": metrics,
    "seed": number(int, -(2**31), 2**31 - 1),
    "num_parallel_tree": COUNT,
    "sampling_method": one_of("uniform", "gradient_based"),
    "aft_loss_distribution": one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": POSITIVE,
    "_tuning_objective_metric": lambda name, text: text.rpartition(":")[2],
}
ALIASES = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}


def checked(given: dict[str, str]) -> dict[str, Any]:
    """The values, read. Raises UserError as the image words it."""
    named = {ALIASES.get(name, name): text for name, text in given.items()}
    unknown = sorted(set(named) - set(HYPERPARAMETERS))
    if unknown:
        raise UserError(f"Extraneous hyperparameter found: {unknown[0]}")
    if "num_round" not in named:
        raise UserError("Missing required hyperparameter: num_round")
    values = {name: HYPERPARAMETERS[name](name, text) for name, text in named.items()}
    if str(values.get("objective")).startswith("multi:") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    return values


def content_type(given: str | None) -> str:
    """csv, libsvm or parquet. Raises UserError."""
    kind, _, rest = (given or "text/libsvm").lower().partition(";")
    found = FORMATS.get(kind.strip())
    if found is None:
        raise UserError(f"{given} is not an accepted ContentType: {', '.join(FORMATS)}.")
    settings = dict(part.strip().partition("=")[::2] for part in rest.split(";"))
    if found == "csv" and settings.get("label_size", "1") != "1":
        raise UserError(f"{given} is not an accepted csv ContentType. Optional parameter label_size"
                        " must be equal to 1")  # fmt: skip
    return found


def read(folder: Path, kind: str, csv_weights: int) -> xgboost.DMatrix:
    """A channel's rows: the label first."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if not files:
        raise UserError(f"No data in channel path {folder}")
    if kind == "parquet":
        table = pq.read_table(folder).to_pandas().to_numpy()
        return xgboost.DMatrix(table[:, 1:], label=table[:, 0])
    # XGBoost reads `path?option=...#cache`: a path of ours may hold such characters, so it is
    # told from where it is.
    os.chdir(folder.parent)
    address = f"{folder.name}?format={kind}"
    if kind == "csv":
        with files[0].open() as text:
            first = text.readline()
        try:
            separator = csv.Sniffer().sniff(first).delimiter
        except csv.Error as problem:
            raise UserError(
                f"Could not determine delimiter on line {first[:50]}:\n{problem}"
            ) from problem
        address += f"&label_column=0&delimiter={separator}"
        address += "&weight_column=1" if csv_weights else ""
    try:
        return xgboost.DMatrix(address)
    except xgboost.core.XGBoostError as problem:
        raise UserError(f"Failed to load {kind} data with exception:\n{problem}") from problem


def train(given: dict[str, str], channels: dict[str, Any], folders: dict[str, Path]) -> Any:
    """The booster. `folders`: of the channels, by their names."""
    values = checked(given)
    extra = sorted(set(channels) - {"train", "validation"})
    if extra:
        raise UserError(f"Extraneous channel found: {extra[0]}")
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    kind = content_type(channels["train"].get("ContentType"))
    weights = values.pop("csv_weights", 0)
    sets: dict[str, xgboost.DMatrix] = {
        name: read(folders[name], kind, weights)
        for name in ("train", "validation")
        if name in channels
    }
    for name, rows in sets.items():
        print(f"{name} matrix has {rows.num_row()} rows and {rows.num_col()} columns")
    return boosted(values, sets)


def boosted(values: dict[str, Any], sets: dict[str, xgboost.DMatrix]) -> xgboost.Booster:
    """Trains, prints a line of metrics for every round."""
    rounds, patience = values.pop("num_round"), values.pop("early_stopping_rounds", None)
    wanted, asked = values.pop("_tuning_objective_metric", None), values.get("eval_metric")
    if wanted:
        values["eval_metric"] = sorted({wanted, *asked}) if asked else [wanted]
    callbacks: list[Any] = [xgboost.callback.EvaluationMonitor()]
    watched = wanted or (asked[-1] if asked else None)
    if patience and watched and "validation" in sets:
        callbacks.append(
            xgboost.callback.EarlyStopping(
                rounds=patience,
                data_name="validation",
                metric_name=watched,
                maximize=watched in MAXIMISED,
                save_best=True,
            )
        )
    return xgboost.train(
        values,
        sets["train"],
        num_boost_round=rounds,
        evals=[(rows, name) for name, rows in sets.items()],
        callbacks=callbacks,
        verbose_eval=False,
    )


def main() -> None:
    """Trains what the variables of the container say; the failure file says why it did not."""
    config = Path(os.environ["SM_INPUT_CONFIG_DIR"])
    channels = json.loads((config / "inputdataconfig.json").read_text())
    folders = {name: Path(os.environ[f"SM_CHANNEL_{name.upper()}"]) for name in channels}
    try:
        given = json.loads((config / "hyperparameters.json").read_text())
        booster = train(given, channels, folders)
        booster.save_model(Path(os.environ["SM_MODEL_DIR"]) / MODEL)
    except (UserError, xgboost.core.XGBoostError) as problem:
        print(problem, file=sys.stderr)
        (Path(os.environ["SM_OUTPUT_DIR"]) / "failure").write_text(f"framework error: \n{problem}")
        raise SystemExit(1) from problem
