"""A copy of what the project deploys, to be edited and deployed as a user would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infrastructure import packages
from infrastructure.deploy import deploy
from infrastructure.template import jobs
from tasks import sql
from tests.pipeline.stack import REPOSITORY, Stack

FOLDERS = (
    *("sql", "databrew_recipes", "databrew_rulesets"),
    *("tasks", "executions", "training", "inference"),
)


class Checkout:
    """The files below `folder`; `edit` changes one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FOLDERS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces the first `old` of the file; it must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    def deploy(self, stack: Stack) -> None:
        """Updates the stack to what these files say. DeploymentError as `rebuy deploy` has it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(packages, "ROOT", self.folder)
            patch.setattr(sql, "ROOT", self.folder / "sql")
            patch.setattr(jobs, "RECIPES", self.folder / "databrew_recipes")
            deploy(stack.connection, lambda line: None)


@contextmanager
def deployed(stack: Stack, folder: Path, *edits: tuple[str, str, str]) -> Iterator[Checkout]:
    """The stack with these edits; afterwards it is as the repository says again."""
    checkout = Checkout(folder)
    for edit in edits:
        checkout.edit(*edit)
    try:
        checkout.deploy(stack)
        yield checkout
    finally:
        deploy(stack.connection, lambda line: None)
