"""One list of features, written down where each part of the product can see it."""

from __future__ import annotations

from inference.features import FEATURES, MORE_MEANINGS
from tasks.glue_jobs import join_features
from training.features import WIRE_FEATURES


def test_the_job_the_training_and_the_api_name_the_same_features_in_the_same_order() -> None:
    assert join_features.FEATURES == WIRE_FEATURES == tuple(f.name for f in FEATURES)


def test_every_further_feature_has_words_for_a_reason() -> None:
    assert set(MORE_MEANINGS) == set(join_features.MORE_FEATURES)
