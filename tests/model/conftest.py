from __future__ import annotations

import pytest

from tests.model.trained import Trained, train_small


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One finished training job that no test changes."""
    return train_small(tmp_path_factory.mktemp("trained"))
