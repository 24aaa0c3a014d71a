"""The pages that are written from the code say what the code says today."""

from __future__ import annotations

import pytest

from configuration.settings import Settings
from rebuy.cli import reference


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_the_page_that_is_checked_in_is_current(name: str) -> None:
    assert (reference.DOCS / name).read_text() == reference.PAGES[name](), (
        "write it again: python -m rebuy.cli.reference"
    )


def test_every_setting_has_words() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
