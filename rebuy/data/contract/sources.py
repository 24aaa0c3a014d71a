"""Which files of a folder belong to which table: the published names, or the lake's own folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from configuration.errors import InputError
from rebuy.data.files import RAW_FILES
from tasks.functions.first_look import Shape
from tasks.functions.raw_checks import SHAPES
from tasks.functions.raw_text import CODECS
from tasks.functions.storage import is_hidden


@dataclass(frozen=True)
class SourceFile:
    """A file of a table. `name` is how findings call it: its path below the folder."""

    path: Path
    name: str
    table: str

    @property
    def shape(self) -> Shape:
        return SHAPES[self.table]


@dataclass(frozen=True)
class Sources:
    """`ignored` are the other files, each with the reason why nobody would read it."""

    folder: Path
    files: tuple[SourceFile, ...]
    ignored: tuple[tuple[str, str], ...] = ()


_BY_NAME = {file.name: file.table for file in RAW_FILES}


def of_folder(folder: Path) -> Sources:
    """The six files as published (packed or not), and whatever lies below a folder with the name of
    a table, as below raw/. Raises InputError for what is no folder, or holds none of them."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.")
    files, ignored = [], []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        table = _table_of(name)
        if is_hidden(name):
            ignored.append((name, "hidden: a part of its path begins with _ or ."))
        elif table is None:
            ignored.append((name, "no file of a table"))
        elif not path.stat().st_size:
            ignored.append((name, "empty"))
        else:
            files.append(SourceFile(path, name, table))
    if not files:
        raise InputError(
            f"{folder} holds no raw file; wanted are {', '.join(_BY_NAME)}, or files in folders"
            f" called {', '.join(SHAPES)}."
        )
    return Sources(folder, tuple(files), tuple(ignored))


def _table_of(name: str) -> str | None:
    parts = name.removeprefix("raw/").split("/")
    if len(parts) > 1:
        return parts[0] if parts[0] in SHAPES else None
    plain = parts[0]
    for ending in CODECS:
        plain = plain.removesuffix(ending)
    return _BY_NAME.get(plain)
