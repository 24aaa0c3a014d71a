"""Figures that can be worked out by hand, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from training.metrics import (
    best_threshold,
    calibration,
    calibration_errors,
    mean_f1_per_order,
    operating_point,
)


def test_mean_f1_counts_an_order_without_repeats_and_predictions_as_one() -> None:
    label = np.array([1, 0, 0, 0, 1, 1], dtype=np.float32)
    probability = np.array([0.9, 0.8, 0.1, 0.2, 0.1, 0.1], dtype=np.float32)
    order = np.array([1, 1, 2, 2, 3, 3])

    # Order 1: one of two predictions is right, 2/3. Order 2: nothing bought, nothing predicted, 1.
    # Order 3: bought, nothing predicted, 0.
    assert mean_f1_per_order(label, probability, order, 0.5) == pytest.approx((2 / 3 + 1) / 3)
    # Order 2 with a prediction: 0.
    assert mean_f1_per_order(label, probability, order, 0.15) == pytest.approx((2 / 3) / 3)


def test_threshold_keeps_what_pays_and_lies_between_two_rows() -> None:
    label = np.array([1, 0, 0, 0], dtype=np.float32)
    probability = np.array([0.75, 0.25, 0.5, 0.25], dtype=np.float32)
    order = np.array([1, 1, 2, 2])

    assert best_threshold(label, probability, order) == (0.625, 1.0)


def test_threshold_may_be_that_nothing_is_predicted() -> None:
    label = np.array([0, 0, 0, 1], dtype=np.float32)
    probability = np.array([0.75, 0.5, 0.25, 0.125], dtype=np.float32)
    order = np.array([1, 2, 3, 3])

    assert best_threshold(label, probability, order) == (0.875, pytest.approx(2 / 3))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(1, 9), st.integers(0, 4)), min_size=1, max_size=40
    )
)
def test_threshold_is_the_best_of_all_thresholds(rows: list[tuple[int, int, int]]) -> None:
    label, tenths, order = (np.array(column) for column in zip(*rows, strict=True))
    label = label.astype(np.float32)
    probability = (tenths / 10).astype(np.float32)

    threshold, value = best_threshold(label, probability, order)

    every = [mean_f1_per_order(label, probability, order, t / 20) for t in range(1, 21)]
    assert value == pytest.approx(max(every))
    assert mean_f1_per_order(label, probability, order, threshold) == pytest.approx(value)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32))
def test_mean_f1_agrees_with_scikit_learn_order_by_order(seed: int) -> None:
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, 60).astype(np.float32)
    probability = random.random(60).astype(np.float32)
    order = random.integers(0, 12, 60)

    expected = [
        f1_score(label[order == one], probability[order == one] >= 0.5, zero_division=1.0)
        for one in np.unique(order)
    ]
    assert mean_f1_per_order(label, probability, order, 0.5) == pytest.approx(np.mean(expected))


def test_calibration_has_ten_groups_of_equal_size_from_low_to_high() -> None:
    probability = np.linspace(0, 1, 1000, dtype=np.float32)
    label = (np.arange(1000) >= 500).astype(np.float32)

    groups = calibration(label, probability, np.arange(1000))

    assert [g["rows"] for g in groups] == [100] * 10
    assert [g["observed"] for g in groups] == [0] * 5 + [1] * 5
    assert groups[0]["mean_predicted"] == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize(
    "spread", [0.0, 0.6], ids=["rows by themselves", "rows of users who differ"]
)
def test_what_chance_shows_of_a_model_that_is_right_is_told(spread: float) -> None:
    """Right on average, while each user buys more or less than the model thinks."""
    random = np.random.default_rng(8)
    users, rows_each = 60, 50
    user = np.repeat(np.arange(users), rows_each)
    shown, told = [], []
    for _ in range(150):
        probability = random.uniform(0.05, 0.4, users * rows_each).astype(np.float32)
        own = random.choice([1 - spread, 1 + spread], users)[user]
        label = (random.random(len(user)) < probability * own).astype(np.float32)
        errors = calibration_errors(calibration(label, probability, user))
        shown.append(errors["calibration_error"])
        told.append(errors["calibration_error_by_chance"])

    assert np.mean(told) == pytest.approx(np.mean(shown), rel=0.1)


def test_operating_point_is_what_the_threshold_gets_right_and_wrong() -> None:
    label = np.array([1, 1, 0, 0, 0], dtype=np.float32)
    probability = np.array([0.9, 0.4, 0.6, 0.2, 0.1], dtype=np.float32)

    at_half = operating_point(label, probability, 0.5)
    assert (at_half["recall"], at_half["precision"]) == (0.5, 0.5)
    assert at_half["false_positive_rate"] == pytest.approx(1 / 3, abs=1e-6)
    assert operating_point(label, probability, 0.95)["precision"] is None
