"""pyiceberg on a local AWS without a socket: its objects as files, its catalog through boto3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyarrow.fs import LocalFileSystem, SubTreeFileSystem
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO


class BucketFolders(PyArrowFileIO):
    """Reads and writes `s3://` in the folder of all buckets."""

    def __init__(self, properties: dict[str, str]) -> None:
        super().__init__(properties)
        self.fs_by_scheme = self._folder  # type: ignore[assignment, method-assign]

    def new_output(self, location: str) -> Any:
        path = Path(self.properties["root"]) / location.partition("://")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        return super().new_output(location)

    def _folder(self, scheme: str, netloc: str | None) -> Any:
        return SubTreeFileSystem(self.properties["root"], LocalFileSystem())


def catalog(local: Any) -> GlueCatalog:
    io = f"{BucketFolders.__module__}.{BucketFolders.__name__}"
    properties = {"py-io-impl": io, "root": str(local.objects.folder("lake").parent)}
    return GlueCatalog("local", client=local.client("glue"), **properties)
