"""A real training job over small sets, for every test that needs a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.model.synthetic import write_sets
from training.train import main

ARGUMENTS = ["--run", "run-1", "--num_round", "40", "--early_stopping_rounds", "5", "--seed", "7"]

EXAMPLE_LINE = (
    "1,6.67578125,3418,209,0.595703125,514,10.0,11,57,11,1599,0.1498791297340854,"
    "1.2884770346494763,0.22388993120700437,9.017543859649123,0.017543859649122806,46,"
    "0.02127659574468085"
)


@dataclass(frozen=True)
class Trained:
    """A finished job: `folder` is its /opt/ml, `environment` what the toolkit had set."""

    folder: Path
    environment: dict[str, str]

    @property
    def model_dir(self) -> Path:
        return self.folder / "model"

    def read(self, name: str) -> Any:
        """evaluation.json or golden.json."""
        return json.loads((self.folder / "checkpoints" / name).read_text())


def train_small(folder: Path, *more: str, users: int = 300) -> Trained:
    environment = write_sets(folder, users=users)
    assert main([*ARGUMENTS, *more], environment) == 0
    return Trained(folder, environment)
