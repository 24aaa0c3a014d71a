"""A shop's files in a folder, by the patterns of its mapping, and their text as UTF-8."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from configuration.errors import InputError
from configuration.mapping.model import Files, Mapping
from tasks.functions.storage import is_hidden


@dataclass(frozen=True)
class SourceFile:
    """A file of the folder, and the kind that it is of."""

    path: Path
    kind: str
    files: Files


def files_of(folder: Path) -> list[Path]:
    """Its files that are not hidden, by name. Raises InputError for what is no folder."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.")
    return sorted(p for p in folder.iterdir() if p.is_file() and not is_hidden(p.name))


def matching(mapping: Mapping, folder: Path) -> list[SourceFile]:
    """Every file that a pattern names, by kind and name; others are left alone.

    Raises InputError when a pattern names nothing, or two name the same file.
    """
    there = files_of(folder)
    found: list[SourceFile] = []
    for kind, files in mapping.files.items():
        of_kind = [path for path in there if fnmatchcase(path.name.lower(), files.pattern.lower())]
        if not of_kind:
            names = ", ".join(path.name for path in there) or "nothing"
            raise InputError(
                f"{folder} has no file {files.pattern!r} ([files.{kind}] pattern);"
                f" it holds {names}."
            )
        found += [SourceFile(path, kind, files) for path in of_kind]
    kinds: dict[Path, str] = {}
    for file in found:
        if file.path in kinds:
            raise InputError(
                f"{file.path} is named by two patterns: [files.{kinds[file.path]}] and"
                f" [files.{file.kind}]."
            )
        kinds[file.path] = file.kind
    return found


def not_readable(file: SourceFile, error: UnicodeDecodeError) -> InputError:
    """Names the line: the error's own place counts within a block."""
    place = f"{file.path}"
    with file.path.open("rb") as content:
        for line, written in enumerate(content, 1):
            try:
                written.decode(file.files.encoding)
            except UnicodeDecodeError as found:
                error, place = found, f"{file.path}:{line}"
                break
    said = f"the byte 0x{error.object[error.start]:02x} is no {file.files.encoding}"
    return InputError(f"{place}: {said}.")


def is_utf8(encoding: str) -> bool:
    return re.sub(r"[^a-z0-9]", "", codecs.lookup(encoding).name) in ("utf8", "ascii")
