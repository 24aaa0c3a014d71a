"""`rebuy new`: a workflow of your own to begin with, a copy of examples/own_workflow."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from configuration.errors import InputError

EXAMPLE = Path(__file__).parents[2] / "examples/own_workflow"
EXAMPLES_NAME = "own-workflow"
# It names the stack, crawler, job and machine, and with _ for - the database.
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 40


def make(folder: Path) -> list[Path]:
    """The files of the new folder, whose name is the pipeline's. Raises InputError."""
    name = folder.resolve().name
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise InputError(
            f"{name!r} cannot name a pipeline: small letters, digits and single hyphens, a letter"
            f" first, at most {LONGEST}, such as my-pipeline."
        )
    if folder.exists():
        raise InputError(f"{folder} is there already; name a new folder.")
    if not EXAMPLE.is_dir():
        raise InputError(f"{EXAMPLE} is not there: rebuy is not installed from its checkout.")
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for file in ("pipeline.py", "README.md"):
        text = (folder / file).read_text().replace(EXAMPLES_NAME, name)
        (folder / file).write_text(text)
    return sorted(file for file in folder.rglob("*") if file.is_file())
