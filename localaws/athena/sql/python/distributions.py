"""Distributions of probability: https://trino.io/docs/current/functions/math.html"""

from __future__ import annotations

import math

from localaws.trino.errors import Fault, invalid

from .registry import python

_GREATEST = 1e5  # parameter: beyond it doubles have too few digits for what is computed here


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), from its end: some
    times the root of the greater parameter is where it is exact."""
    value = 1.0
    for step in range(200 + 10 * int(math.sqrt(max(a, b))), 0, -1):
        half = step // 2
        if step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + step - 1) * (a + step))
        else:
            term = half * (b - half) * x / ((a + step - 1) * (a + step))
        value = 1 + term / value
    return value


def incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), from 0 to 1: DLMF 8.17.2."""
    if max(a, b) > _GREATEST:
        raise Fault(f"NOT_SUPPORTED: localaws emulates no distribution beyond {_GREATEST:.0e}")
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x)
    front = math.exp(log + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front / (a * _fraction(a, b, x))
    return 1 - front / (b * _fraction(b, a, 1 - x))


def _check(a: float, b: float) -> None:
    if not (a > 0 and b > 0):
        raise invalid("a, b must be > 0")


@python("DOUBLE, DOUBLE, DOUBLE -> DOUBLE")
def beta_cdf(a: float, b: float, value: float) -> float:
    if not 0 <= value <= 1:
        raise invalid("value must be 0 <= v <= 1")
    _check(a, b)
    return incomplete_beta(a, b, value)


@python("DOUBLE, DOUBLE, DOUBLE -> DOUBLE")
def inverse_beta_cdf(a: float, b: float, share: float) -> float:
    """By halving: 2^-60 is nearer than a double of the middle can tell."""
    if not 0 <= share <= 1:
        raise invalid("p must be 0 >= p >= 1")
    _check(a, b)
    if share in (0, 1):
        return share
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if incomplete_beta(a, b, middle) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _degrees(freedom: float) -> None:
    if not freedom >= 1:
        raise invalid("degrees of freedom must be greater than or equal to 1")


@python("DOUBLE, DOUBLE -> DOUBLE")
def t_cdf(x: float, freedom: float) -> float:
    _degrees(freedom)
    tail = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + x * x)) / 2
    return tail if x < 0 else 1 - tail


@python("DOUBLE, DOUBLE -> DOUBLE")
def t_pdf(x: float, freedom: float) -> float:
    _degrees(freedom)
    log = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)
    log -= math.log(freedom * math.pi) / 2 + (freedom + 1) / 2 * math.log1p(x * x / freedom)
    return math.exp(log)
