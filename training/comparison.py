"""Champion and challenger on the same holdout: how much of a difference is luck?

A paired bootstrap by user: the holdout's users are drawn again, with replacement, and both models
are measured on the same draw. Rows of one user are not independent of each other, so whole users
are drawn. What comes back is a gain, above 0 when the challenger is better, and the interval that
holds nine of ten draws. The seed is fixed: the same scores give the same interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from training import metrics
from training.sets import Array, Scores

Json = dict[str, Any]

SAMPLES = 500
LEVEL = 0.9
SEED = 20_170
# AUC is counted in so many groups of equally many rows: that moves it by less than 0.000002.
BINS = 4096
NUMBERS_A_STEP = 20_000_000  # of a (samples, users) table: it stays below 80 MB
DIGITS = 6


@dataclass(frozen=True)
class Draws:
    """The holdout's users drawn again: `user` (rows,) says whose each row is, 0 to users - 1."""

    user: Array
    users: int

    @classmethod
    def of(cls, user_id: Array) -> Draws:
        found, user = np.unique(user_id, return_inverse=True)
        return cls(user, len(found))

    def weights(self) -> Iterator[Array]:
        """Tables (samples, users): how often each user is in the draw. Always the same ones."""
        random = np.random.default_rng(SEED)
        step = max(1, NUMBERS_A_STEP // self.users)
        for first in range(0, SAMPLES, step):
            count = min(step, SAMPLES - first)
            drawn = random.integers(0, self.users, (count, self.users))
            drawn += np.arange(count)[:, None] * self.users
            table = np.bincount(drawn.ravel(), minlength=count * self.users)
            yield table.reshape(count, self.users).astype(np.float32)

    def sums(self, values: Array) -> Array:
        """Per user the sum of (rows,) values."""
        return np.bincount(self.user, weights=values, minlength=self.users)

    def aucs(self, label: Array, probability: Array) -> Array:
        """(samples,): the AUC in every draw; NaN in one that has one kind of label only."""
        below_it: Array = np.searchsorted(np.sort(probability), probability)
        group = below_it * BINS // len(label)
        shape = (BINS, self.users)
        kinds = []
        for kind in (1, 0):
            rows = np.flatnonzero(label == kind)
            ones = np.ones(len(rows), dtype=np.float32)
            kinds.append(sparse.csr_matrix((ones, (group[rows], self.user[rows])), shape=shape))
        found = []
        for table in self.weights():
            positive, negative = ((kind @ table.T).astype(np.float64) for kind in kinds)
            below = np.cumsum(negative, axis=0) - negative / 2
            pairs = positive.sum(axis=0) * negative.sum(axis=0)
            won = (positive * below).sum(axis=0)
            found.append(np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0))
        return np.concatenate(found)

    def means(self, sums: Array, counts: Array) -> Array:
        """(samples,): sum / count in every draw, of per-user sums and counts."""
        return np.concatenate([(t @ sums) / (t @ counts) for t in self.weights()])


def gain(measured: float, drawn: Array) -> Json:
    """{gain, low, high}: what was measured, and the ends of the interval over the draws."""
    known = drawn[np.isfinite(drawn)]
    edge = (1 - LEVEL) / 2
    low, high = np.quantile(known, [edge, 1 - edge]) if len(known) else (measured, measured)
    return {
        "gain": round(measured, DIGITS),
        "low": round(float(low), DIGITS),
        "high": round(float(high), DIGITS),
    }


def report(
    challenger: Scores,
    champion: Scores,
    challenger_line: Scores,
    champion_line: Scores,
    parts: dict[str, Array],
) -> Json:
    """What evaluation.json says as `comparison`; the lines are the scores for 18 numbers."""
    return {
        "users": len(np.unique(challenger.user_id)),
        "samples": SAMPLES,
        "level": LEVEL,
        **compare(challenger, champion),
        "with_18_features": compare(challenger_line, champion_line),
        "slices": compare_slices(challenger, champion, parts),
    }


def compare(challenger: Scores, champion: Scores) -> Json:
    """Gains of the challenger in AUC, logloss (nats saved) and mean F1 of the best baskets; both
    have the same rows in the same order."""
    draws = Draws.of(challenger.user_id)
    both = (challenger, champion)
    logloss = [draws.sums(metrics.loss_of_rows(s.label, s.probability)) for s in both]
    rows = draws.sums(np.ones(len(draws.user)))
    f1 = [metrics.f1_of_baskets(s.label, s.probability, s.user_id) for s in both]
    return {
        "auc": auc_gain(draws, challenger, champion),
        "logloss": gain(
            float((logloss[1].sum() - logloss[0].sum()) / rows.sum()),
            draws.means(logloss[1] - logloss[0], rows),
        ),
        "mean_f1_of_baskets": gain(
            float(f1[0].mean() - f1[1].mean()), draws.means(f1[0] - f1[1], np.ones(draws.users))
        ),
    }


def auc_gain(draws: Draws, challenger: Scores, champion: Scores) -> Json:
    measured = challenger.auc() - champion.auc()
    drawn = draws.aucs(challenger.label, challenger.probability)
    return gain(measured, drawn - draws.aucs(champion.label, champion.probability))


def compare_slices(challenger: Scores, champion: Scores, masks: dict[str, Array]) -> list[Json]:
    """[{slice, users, auc: {gain, low, high}}] for each mask (rows,) that has both labels."""
    found = []
    for name, mask in masks.items():
        ours, theirs = challenger.where(mask), champion.where(mask)
        if ours.has_both_labels():
            draws = Draws.of(ours.user_id)
            auc = auc_gain(draws, ours, theirs)
            found.append({"slice": name, "users": draws.users, "auc": auc})
    return found
