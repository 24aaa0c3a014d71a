"""The job's hyperparameters: one table of what is accepted, read from `--name value` arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from training.errors import TrainingError

Value = str | int | float

OBJECTIVES = ("binary:logistic",)
BEST = "best"  # the threshold with the highest mean F1 on validation
EVAL_METRICS = ("auc", "aucpr", "error", "logloss")


@dataclass(frozen=True)
class Rule:
    """What one hyperparameter accepts: `read` turns its text into a value or raises ValueError."""

    default: Value
    accepts: str
    read: Callable[[str], Value]
    booster: bool = True  # handed to XGBoost under its own name


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = float(text)  # SageMaker's toolkit may write 6 as 6.0
        if not value.is_integer() or not low <= value <= high:
            raise ValueError(text)
        return int(value)

    return read


def _real(low: float, high: float, *, above_low: bool = False) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not math.isfinite(value) or not low <= value <= high or (above_low and value == low):
            raise ValueError(text)
        return value

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(text)
        return text

    return read


def _metrics(text: str) -> str:
    names = [name.strip() for name in text.split(",")]
    if not set(names) <= set(EVAL_METRICS) or len(set(names)) != len(names):
        raise ValueError(text)
    return ",".join(names)


def _whole_rule(default: int, low: int, high: int, *, booster: bool = True) -> Rule:
    return Rule(default, f"a whole number from {low} to {high}", _whole(low, high), booster)


def _share_rule(default: float) -> Rule:
    return Rule(default, "a number above 0, at most 1", _real(0, 1, above_low=True))


def _threshold(text: str) -> Value:
    return BEST if text == BEST else _real(0, 1)(text)


def _penalty_rule(default: float) -> Rule:
    return Rule(default, "a number from 0 to 1000000", _real(0, 1e6))


RULES: dict[str, Rule] = {
    "objective": Rule(OBJECTIVES[0], " or ".join(OBJECTIVES), _one_of(*OBJECTIVES)),
    "eval_metric": Rule(
        "auc", f"one or more of {', '.join(EVAL_METRICS)}, separated by commas", _metrics, False
    ),
    "max_depth": _whole_rule(6, 1, 16),
    "eta": _share_rule(0.1),
    "gamma": _penalty_rule(0.7),
    "colsample_bytree": _share_rule(0.95),
    "subsample": _share_rule(0.75),
    "min_child_weight": _penalty_rule(10.0),
    "alpha": _penalty_rule(2e-5),
    "lambda": _penalty_rule(10.0),
    "max_bin": _whole_rule(256, 2, 65_535),
    "num_round": _whole_rule(300, 1, 10_000, booster=False),
    "early_stopping_rounds": _whole_rule(20, 1, 10_000, booster=False),
    "seed": _whole_rule(0, 0, 2**31 - 1),
    "threshold": Rule(BEST, f"{BEST}, or a number from 0 to 1", _threshold, False),
    "nthread": Rule(0, "a whole number from 0 (every core) to 1024", _whole(0, 1024)),
}

# What a run's input may change; the others belong to the workflow, or are options of their own.
TUNABLE = tuple(
    name for name in RULES if name not in ("objective", "eval_metric", "threshold", "nthread")
)

# What a tuning job searches, unless the run's input fixes it: lowest and highest, and the scale on
# which values are tried evenly.
TUNED: dict[str, tuple[float, float, str]] = {
    "max_depth": (3, 8, "Linear"),
    "eta": (0.03, 0.2, "Logarithmic"),
    "min_child_weight": (1.0, 100.0, "Logarithmic"),
    "colsample_bytree": (0.3, 1.0, "Linear"),
    "subsample": (0.5, 1.0, "Linear"),
    "lambda": (0.1, 100.0, "Logarithmic"),
}


def read_hyperparameters(given: dict[str, str]) -> dict[str, Value]:
    """Every hyperparameter of `RULES` with its value: the one given, else the default.

    Raises TrainingError naming each unknown name and each value out of range, all at once.
    """
    problems = [f"hyperparameter {name!r} is unknown" for name in given if name not in RULES]
    values: dict[str, Value] = {}
    for name, rule in RULES.items():
        text = given.get(name)
        try:
            values[name] = rule.default if text is None else rule.read(text.strip())
        except (ValueError, OverflowError):
            problems.append(f"hyperparameter {name} is {text!r}; accepted: {rule.accepts}")
    if problems:
        raise TrainingError(f"{'; '.join(problems)}. Known: {', '.join(RULES)}.")
    return values


def booster_parameters(values: dict[str, Value]) -> dict[str, Any]:
    """The parameters as `xgboost.train` takes them.

    AUC is always measured and comes last: it decides when to stop.
    """
    metrics = [name for name in str(values["eval_metric"]).split(",") if name != "auc"]
    parameters: dict[str, Any] = {n: values[n] for n, rule in RULES.items() if rule.booster}
    return {**parameters, "tree_method": "hist", "eval_metric": [*metrics, "auc"]}


def split_arguments(arguments: Sequence[str]) -> dict[str, str]:
    """`["--name", "value", ...]` or `["--name=value", ...]` as a dict.

    Raises TrainingError for anything else, and for a name given twice.
    """
    given: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name, equals, value = argument.partition("=")
        if not name.startswith("--") or len(name) == 2:
            raise TrainingError(f"Argument {argument!r} is not understood; accepted: --name value.")
        if not equals:
            if not rest:
                raise TrainingError(f"Argument {argument!r} has no value; accepted: --name value.")
            value = rest.pop(0)
        if name[2:] in given:
            raise TrainingError(f"Argument {name} is given twice.")
        given[name[2:]] = value
    return given
