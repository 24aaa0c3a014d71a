"""What a tuning job tries next. The same seed, ranges and results give the same proposals, whatever
was running at the same time and however often the server was started meanwhile."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from localaws.sagemaker.ranges import Range

Places = list[float]  # one a range, 0 to 1

# Bayesian: so many random trials first; then the most promising of so many random places.
RANDOM_STARTS = 5
CANDIDATES = 2_000
SMOOTHNESS = (0.05, 20.0)  # how far, in places, results tell of each other
NOISE = 1e-4  # of the objective's variance
ATTEMPTS = 1_000  # at a combination that was not tried before


@dataclass(frozen=True)
class Trial:
    """What was tried, and what came of it: the objective, the more the better; None: nothing."""

    places: Places
    objective: float | None


def values(ranges: Sequence[Range], places: Places) -> dict[str, str]:
    return {one.name: one.at(place) for one, place in zip(ranges, places, strict=True)}


def grid(ranges: Sequence[Range], number: int) -> Places:
    """The number-th combination of categorical values; the last range changes fastest."""
    middles = [[(at + 0.5) / len(one.values) for at in range(len(one.values))] for one in ranges]
    return list(next(itertools.islice(itertools.product(*middles), number, None)))


def random(ranges: Sequence[Range], seed: int, tried: Sequence[Places]) -> Places:
    """The next random combination that was not tried before."""
    known = [values(ranges, places) for places in tried]
    for attempt in range(ATTEMPTS):
        source = np.random.default_rng([seed, len(tried), attempt])
        places: Places = source.random(len(ranges)).tolist()
        if values(ranges, places) not in known:
            break
    return places


def bayesian(
    ranges: Sequence[Range], seed: int, tried: Sequence[Places], known: Sequence[Trial]
) -> Places:
    """The combination with the highest expected improvement over the best of `known`, by a
    Gaussian process; random until RANDOM_STARTS results are known.

    https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
    """
    told = [(trial.places, trial.objective) for trial in known if trial.objective is not None]
    if len(told) < RANDOM_STARTS:
        return random(ranges, seed, tried)
    # Imported where they are needed: the server starts without them.
    from scipy.stats import norm
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern

    # A few results may be told best by a limit of SMOOTHNESS, which is no fault.
    warnings.filterwarnings(
        "ignore", category=ConvergenceWarning, module="sklearn.gaussian_process"
    )
    process = GaussianProcessRegressor(
        Matern(length_scale_bounds=SMOOTHNESS, nu=2.5),
        alpha=NOISE,
        normalize_y=True,
        random_state=seed % 2**32,
    )
    objective = np.array([value for _, value in told])
    process.fit(_coordinates(ranges, [places for places, _ in told]), objective)
    before = [values(ranges, places) for places in tried]
    drawn = np.random.default_rng([seed, len(tried)]).random((CANDIDATES, len(ranges))).tolist()
    fresh = [places for places in drawn if values(ranges, places) not in before]
    if not fresh:
        return random(ranges, seed, tried)
    mean, deviation = process.predict(_coordinates(ranges, fresh), return_std=True)
    gain = mean - objective.max()
    score = gain / np.maximum(deviation, 1e-12)
    expected = gain * norm.cdf(score) + deviation * norm.pdf(score)
    return fresh[int(np.argmax(expected))]


def _coordinates(ranges: Sequence[Range], many: Sequence[Places]) -> Any:
    """Places as the process sees them: numbers as they are, a category as 0s and a 1."""
    columns = []
    for at, one in enumerate(ranges):
        places = np.array([places[at] for places in many])
        if one.values:
            which = np.floor(places * len(one.values))
            columns += [which == category for category in range(len(one.values))]
        else:
            columns.append(places)
    return np.stack(columns, axis=1).astype(np.float64)


def combinations(ranges: Sequence[Range]) -> float:
    return math.prod(one.choices() for one in ranges)
