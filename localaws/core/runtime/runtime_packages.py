"""An import finder for child processes that must see only what their AWS runtime has.

Loaded by file from within such a child (`bootstrap.py`, and `localaws/sagemaker/container.py`), so
it needs nothing but the standard library. The interpreter is the project's own and holds far more
than Lambda or the SageMaker container: code that forgot a layer or a package must fail here with
the same import error as on AWS.
"""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import os
import sys
from collections.abc import Iterable, Sequence
from types import ModuleType


class RuntimePackages:
    """Finds the `allowed` top-level packages in the `folders` where packages are installed."""

    def __init__(self, folders: list[str], allowed: set[str]) -> None:
        self.folders = folders
        self.allowed = allowed

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The package's spec, or None for one that the runtime lacks."""
        if path is not None or name not in self.allowed:
            return None
        return importlib.machinery.PathFinder.find_spec(name, self.folders, target)

    def find_distributions(
        self, context: importlib.metadata.DistributionFinder.Context | None = None
    ) -> Iterable[importlib.metadata.Distribution]:
        """Versions of what is installed, for `importlib.metadata`."""
        wanted = importlib.metadata.DistributionFinder.Context(
            name=context.name if context else None, path=self.folders
        )
        return importlib.metadata.MetadataPathFinder.find_distributions(wanted)

    def invalidate_caches(self) -> None:
        """Nothing is cached."""


def install(folders: str, allowed: str) -> None:
    """Adds the finder: `folders` joined by `os.pathsep`, `allowed` by commas."""
    sys.meta_path.append(RuntimePackages(folders.split(os.pathsep), set(allowed.split(","))))
