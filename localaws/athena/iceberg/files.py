"""The objects of a table for pyiceberg: those that the server found, and new ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import Table

from localaws.athena.iceberg.source import IcebergScan
from localaws.tables.errors import TableError
from localaws.tables.snapshot import DataFile


def place(uri: str) -> str:
    """bucket/key: s3, s3a and s3n name the same object."""
    return uri.partition("://")[2]


class LocalFiles(FileIO):
    """Objects by their URI. What is written lies in `folder` until the server adopts it."""

    def __init__(self, files: Iterable[DataFile], folder: Path) -> None:
        super().__init__()
        self.known = {place(file.uri): file for file in files}
        self.written: dict[str, Path] = {}
        self.folder = folder

    def new_input(self, location: str) -> InputFile:
        return _Input(location, self.file(location))

    def new_output(self, location: str) -> OutputFile:
        return _Output(location, self.target(location))

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise NotImplementedError("the server alone deletes objects")

    def target(self, uri: str) -> Path:
        """Where the bytes of a new object are to be written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / uuid.uuid4().hex
        self.written[uri] = path
        return path

    def file(self, uri: str) -> Path:
        """Raises TableError for an object that the table names and that is not there."""
        if uri in self.written:
            return self.written[uri]
        return Path(self.stored(uri).path)

    def stored(self, uri: str) -> DataFile:
        found = self.known.get(place(uri))
        if found is None:
            raise TableError(
                "ICEBERG_CANNOT_OPEN_SPLIT",
                f"Error opening Iceberg split {uri}: no such file below the table's location",
            )
        return found


class _Stored:
    """What an object to be read and one to be written have in common."""

    def __init__(self, location: str, path: Path) -> None:
        super().__init__(location)  # type: ignore[call-arg]
        self._path = path

    def __len__(self) -> int:
        return self._path.stat().st_size

    def exists(self) -> bool:
        return self._path.exists()


class _Input(_Stored, InputFile):
    def open(self, seekable: bool = True) -> InputStream:
        stream: InputStream = self._path.open("rb")
        return stream


class _Output(_Stored, OutputFile):
    def to_input_file(self) -> InputFile:
        return _Input(self.location, self._path)

    def create(self, overwrite: bool = False) -> OutputStream:
        stream: IO[bytes] = self._path.open("wb")
        return stream


def opened(scan: IcebergScan, folder: Path) -> Table:
    """The table of a scan, with LocalFiles for its IO."""
    files = LocalFiles((scan.metadata, *scan.files), folder)
    metadata = FromInputFile.table_metadata(files.new_input(scan.metadata.uri))
    name = tuple(scan.name.split("."))
    return Table(name, metadata, scan.metadata.uri, files, NoopCatalog("local"))
