"""Where one local AWS keeps everything: a single folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The state folder. Deleting it is a reset; copying it is a backup."""

    root: Path

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)

    def directory(self, name: str) -> Path:
        """The sub-folder `name`, made when missing."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def file(self, name: str) -> Path:
        return self.root / name
