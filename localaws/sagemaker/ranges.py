"""The ranges of a tuning job: which values a hyperparameter may take, and how evenly each is tried.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from localaws.sagemaker.names import validation
from localaws.shapes import Json

KINDS = {
    "IntegerParameterRanges": "Integer",
    "ContinuousParameterRanges": "Continuous",
    "CategoricalParameterRanges": "Categorical",
}
# "Auto" leaves the choice to SageMaker, which does not say how it chooses. Ours: a range that spans
# two powers of ten and more is tried evenly by its logarithm.
AUTO_SPAN = 100

Scale = tuple[Callable[[float], float], Callable[[float], float]]  # there, and back
SCALES: dict[str, Scale] = {
    "Linear": (float, float),
    "Logarithmic": (math.log, math.exp),
    "ReverseLogarithmic": (lambda x: -math.log1p(-x), lambda y: -math.expm1(-y)),
}


@dataclass(frozen=True)
class Range:
    """One hyperparameter's: `low` to `high`, both included, or `values`."""

    name: str
    kind: str  # of KINDS
    low: float = 0.0
    high: float = 0.0
    scale: str = "Linear"  # of SCALES
    values: tuple[str, ...] = ()

    def at(self, place: float) -> str:
        """The value at a place of the range, 0 to 1 (without 1), as hyperparameters are: text."""
        if self.values:
            return self.values[int(place * len(self.values))]
        there, back = SCALES[self.scale]
        whole = self.kind == "Integer"
        low, high = there(self.low), there(self.high + 1 if whole else self.high)
        value = back(low + place * (high - low))
        if whole:
            return str(min(max(math.floor(value), int(self.low)), int(self.high)))
        return repr(min(max(value, self.low), self.high))

    def choices(self) -> float:
        """How many different values there are."""
        if self.values:
            return len(self.values)
        return self.high - self.low + 1 if self.kind == "Integer" else math.inf


def read(config: Json) -> list[Range]:
    """The ranges of HyperParameterTuningJobConfig, by kind and in their order. Raises
    ValidationException for one that is none."""
    given = config.get("ParameterRanges", {})
    found = [
        _range(kind, one, f"ParameterRanges.{member}")
        for member, kind in KINDS.items()
        for one in given.get(member, [])
    ]
    names = [one.name for one in found]
    if not names:
        raise validation("ParameterRanges must have at least one range to search.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise validation(f"ParameterRanges has {', '.join(twice)} more than once.")
    return found


def _range(kind: str, given: Json, where: str) -> Range:
    name = given["Name"]
    if kind == "Categorical":
        return Range(name, kind, values=tuple(given["Values"]))
    low, high = (_number(kind, given[end], where) for end in ("MinValue", "MaxValue"))
    if low >= high:
        raise validation(f"{where}: {name} needs a MinValue below its MaxValue; {low} >= {high}.")
    scale = given.get("ScalingType", "Auto")
    if scale == "Auto":
        scale = "Logarithmic" if low > 0 and high / low >= AUTO_SPAN else "Linear"
    for problem in _unscalable(kind, low, high, scale):
        raise validation(f"{where}: {name} cannot be scaled {scale}: {problem}.")
    return Range(name, kind, low, high, scale)


def _number(kind: str, text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (kind == "Integer" and not value.is_integer()):
        raise validation(f"{where}: {text!r} is no {'whole ' * (kind == 'Integer')}number.")
    return value


def _unscalable(kind: str, low: float, high: float, scale: str) -> Iterator[str]:
    if scale == "Logarithmic" and low <= 0:
        yield "its values must be above 0"
    if scale == "ReverseLogarithmic" and kind == "Integer":
        yield "only continuous ranges can"
    if scale == "ReverseLogarithmic" and not (low >= 0 and high < 1):
        yield "its values must be 0 or more, and below 1"
