"""What a run may be told: every option with its default, and what is accepted; pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from training.errors import TrainingError
from training.hyperparameters import TUNABLE, TUNED, read_hyperparameters

Json = dict[str, Any]


class InvalidInput(Exception):
    """The execution's input is not one that this workflow takes."""


def _integer(low: int, high: int) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidInput(f"{name} is {value!r}; it takes a whole number {low} to {high}.")
        return value

    return check


def _one_of(*accepted: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if value not in accepted:
            raise InvalidInput(f"{name} is {value!r}; it takes one of {', '.join(accepted)}.")
        return str(value)

    return check


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"{name} is {value!r}; it takes true or false.")
    return value


def _optional_boolean(name: str, value: Any) -> bool | None:
    return None if value is None else _boolean(name, value)


def _threshold(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise InvalidInput(f"{name} is {value!r}; it takes a number above 0 and below 1, or null.")
    return float(value)


def _gain(name: str, value: Any) -> float:
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not -0.05 <= value <= 0.05:
        raise InvalidInput(f"{name} is {value!r}; it takes a number from -0.05 to 0.05.")
    return float(value)


def _week(name: str, value: Any) -> str | None:
    if value is not None and not (
        isinstance(value, str) and re.fullmatch(r"20[0-9]{2}-W[0-5][0-9]", value)
    ):
        raise InvalidInput(f'{name} is {value!r}; it takes a week as "2026-W48", or null.')
    return value


def _hyperparameters(name: str, value: Any) -> Json:
    """As training itself checks them (`training.hyperparameters.RULES`)."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{name} is {value!r}; it takes an object.")
    for one, number in value.items():
        if one not in TUNABLE:
            raise InvalidInput(f"{name} has {one!r}; it takes {', '.join(TUNABLE)}.")
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InvalidInput(f"{name}.{one} is {number!r}; it takes a number.")
    try:
        read_hyperparameters({one: str(number) for one, number in value.items()})
    except TrainingError as error:
        raise InvalidInput(f"{name}: {error}") from error
    return value


def _tune(name: str, value: Any) -> Json | None:
    """Every member of TUNE with its value; null for a run that does not tune."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidInput(f"{name} is {value!r}; it takes an object, or null.")
    for one in value:
        if one not in TUNE:
            raise InvalidInput(f"{name} has {one!r}; it takes {', '.join(TUNE)}.")
    return {
        one: check(f"{name}.{one}", value[one]) if one in value else default
        for one, (default, check) in TUNE.items()
    }


def _ranges(name: str, value: Any) -> Json:
    """{hyperparameter: [lowest, highest]}, in place of those of TUNED."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{name} is {value!r}; it takes an object.")
    for one, ends in value.items():
        if one not in TUNED:
            raise InvalidInput(f"{name} has {one!r}; it takes {', '.join(TUNED)}.")
        if not isinstance(ends, list) or len(ends) != 2:
            raise InvalidInput(f"{name}.{one} is {ends!r}; it takes [lowest, highest].")
        for end in ends:
            _hyperparameters(name, {one: end})
        if not ends[0] < ends[1] or (ends[0] <= 0 and TUNED[one][2] == "Logarithmic"):
            raise InvalidInput(
                f"{name}.{one} is {ends!r}; the lowest is not below the highest, or not above 0."
            )
    return value


# name: (default, check). `trials` training jobs, so many at once as `parallel` says.
TUNE: dict[str, tuple[Any, Callable[[str, Any], Any]]] = {
    "trials": (10, _integer(2, 100)),
    "parallel": (2, _integer(1, 10)),
    "strategy": ("Bayesian", _one_of("Bayesian", "Random")),
    "ranges": ({}, _ranges),
}

# name: (default, check). `force`: also when nothing is new (null: only a person's start does).
# `train`: false ends the run with the training sets. `threshold`: of the decision, in place of the
# one that training chooses (null). `hyperparameters` take the place of the workflow's; `tune` looks
# for better ones among those that they leave open. `publish`
# overrules the comparison with the live model. `minimum_gain` is the AUC by which a model must be
# better than it for certain; below 0, so much worse is let through. `holdout_week` chooses which
# kept-aside users judge (null: by the start). `approval` by hand waits for it in the registry.
# `full`: nothing is taken over from the last run, and so also when nothing is new.
# `profile`: the raw and clean tables are profiled, and the clean ones held to their rules.
# `sample_buckets` of the 20 user buckets feed the features. `settle_seconds` is a minimum wait
# after the crawl.
OPTIONS: dict[str, tuple[Any, Callable[[str, Any], Any]]] = {
    "force": (None, _optional_boolean),
    "full": (False, _boolean),
    "train": (True, _boolean),
    "threshold": (None, _threshold),
    "publish": ("if_better", _one_of("if_better", "always", "never")),
    "hyperparameters": ({}, _hyperparameters),
    "tune": (None, _tune),
    "approval": ("automatic", _one_of("automatic", "by_hand")),
    "minimum_gain": (0.0, _gain),
    "holdout_week": (None, _week),
    "profile": (False, _boolean),
    "sample_buckets": (20, _integer(1, 20)),
    "settle_seconds": (0, _integer(0, 3600)),
}
IRRELEVANT = ("force", "full", "profile", "settle_seconds")  # to what a run computes


def options(given: Json) -> Json:
    """Every option with its value; an unknown one is refused by name."""
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown:
        raise InvalidInput(
            f"Unknown input {', '.join(unknown)}; accepted are {', '.join(sorted(OPTIONS))},"
            " and one of schedule, upload."
        )
    chosen = {
        name: check(name, given[name]) if name in given else default
        for name, (default, check) in OPTIONS.items()
    }
    _check_tuning(chosen)
    return chosen


def _check_tuning(chosen: Json) -> None:
    """Whether there is something to tune, and a training to tune it for."""
    if chosen["tune"] is None:
        return
    if not chosen["train"]:
        raise InvalidInput("tune is given with train false; it needs a training.")
    fixed = [name for name in TUNED if name in chosen["hyperparameters"]]
    both = [name for name in fixed if name in chosen["tune"]["ranges"]]
    if both:
        raise InvalidInput(f"hyperparameters and tune.ranges both have {', '.join(both)}.")
    if len(fixed) == len(TUNED):
        raise InvalidInput(f"hyperparameters has all that tune would look for: {', '.join(TUNED)}.")
