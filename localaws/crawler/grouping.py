"""Which files make one table, and which folders are its partitions.

https://docs.aws.amazon.com/glue/latest/dg/crawler-table-definition.html: folders of one level are
partitions of one table where most of their schemas are alike and format and compression are the
same; otherwise each is a table. TableLevelConfiguration (the bucket is level
1) settles it by depth.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from localaws.crawler.schema import Schema
from localaws.crawler.types import alike, merge_types
from localaws.shapes import ObjectFile

ALIKE = 0.7  # share of columns that two schemas must have in common


@dataclass(frozen=True)
class File:
    stored: ObjectFile
    schema: Schema


@dataclass
class Group:
    """Files that make one table. `location` is its key prefix (ending in /, or one file's key)."""

    bucket: str
    location: str
    files: list[File]
    schema: Schema

    @property
    def folders(self) -> dict[tuple[str, ...], list[File]]:
        """The files by the folders between the table's location and them."""
        found: dict[tuple[str, ...], list[File]] = {}
        for file in self.files:
            below = file.stored.key.removeprefix(self.location).split("/")[:-1]
            found.setdefault(tuple(below), []).append(file)
        return found


def groups(
    bucket: str, root: str, files: list[File], level: int | None, combine: bool
) -> list[Group]:
    """`root` is the include path's key prefix, "" or ending in /."""
    if level is not None:
        cut = max(level - 1, 0)
        tables: dict[str, list[File]] = {}
        for file in files:
            parts = file.stored.key.split("/")
            if len(parts) - 1 < cut:
                tables.setdefault(file.stored.key, []).append(file)  # above the level: on its own
            else:
                tables.setdefault("".join(part + "/" for part in parts[:cut]), []).append(file)
        return [
            group
            for place, members in tables.items()
            for group in (
                [Group(bucket, place, members, merged(members))]
                if combine or _all_alike(members, combine)
                else _folder(bucket, place, members, combine)
            )
        ]
    return _folder(bucket, root, files, combine)


def _folder(bucket: str, place: str, files: list[File], combine: bool) -> list[Group]:
    """The tables below one folder: one if everything is alike, else folder by folder."""
    if not files:
        return []
    direct = [file for file in files if "/" not in file.stored.key[len(place) :]]
    below: dict[str, list[File]] = {}
    for file in files:
        if file not in direct:
            below.setdefault(file.stored.key[len(place) :].split("/", 1)[0], []).append(file)
    if _all_alike(files, combine):
        return [Group(bucket, place, files, merged(files))]
    found: list[Group] = []
    if direct and _all_alike(direct, combine) and not below:
        return [Group(bucket, place, direct, merged(direct))]
    found += [Group(bucket, file.stored.key, [file], file.schema) for file in direct]
    for name, members in below.items():
        found += _folder(bucket, f"{place}{name}/", members, combine)
    return found


def _all_alike(files: list[File], combine: bool) -> bool:
    first = files[0].schema
    return all(fits(first, file.schema, combine) for file in files[1:])


def fits(one: Schema, other: Schema, combine: bool) -> bool:
    """Whether files of the two make one table."""
    return _compatible(one, other) if combine else _similar(one, other)


def _similar(a: Schema, b: Schema) -> bool:
    if a.kind != b.kind or a.delimiter != b.delimiter:
        return False
    types = dict(a.columns)
    common = sum(name in types and alike(types[name], kind) for name, kind in b.columns)
    return common >= ALIKE * max(len(a.columns), len(b.columns))


def _compatible(a: Schema, b: Schema) -> bool:
    """CombineCompatibleSchemas makes one table of an include path, however unlike its files are.

    https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html: A and B in one folder,
    C and D in another are one table of four columns. Format and compression must be the same.
    """
    return a.kind == b.kind and a.delimiter == b.delimiter


def merged(files: Iterable[File]) -> Schema:
    """One schema with the columns of all, in the order they are met."""
    members = list(files)
    columns: dict[str, str] = {}
    for file in members:
        for name, kind in file.schema.columns:
            columns[name] = merge_types(columns.get(name), kind)
    first = members[0].schema
    rows = sum(file.schema.rows for file in members)
    return Schema(**{**first.__dict__, "columns": tuple(columns.items()), "rows": rows})


def partition_keys(group: Group) -> list[str]:
    """`k` for folders `k=v`, otherwise partition_0, partition_1, ... Files at different depths
    have no common partitions: then the table is read as a whole, without any."""
    folders = list(group.folders)
    depths = {len(folder) for folder in folders}
    if len(depths) != 1:
        return []
    keys = []
    for level in range(depths.pop()):
        names = {folder[level].partition("=")[0] for folder in folders if "=" in folder[level]}
        every = all("=" in folder[level] for folder in folders)
        keys.append(names.pop().lower() if every and len(names) == 1 else f"partition_{level}")
    return keys


def partition_values(folder: tuple[str, ...], keys: list[str]) -> list[str]:
    return [
        part.partition("=")[2] if part.lower().startswith(f"{key}=") else part
        for part, key in zip(folder, keys, strict=True)
    ]


def folder_name(group: Group) -> str:
    """What its table is called after: the last folder, or the bucket."""
    return group.location.rstrip("/").rsplit("/", 1)[-1] or group.bucket


def table_name(prefix: str, last: str, place: str, taken: Iterable[str]) -> str:
    """In letters, digits and underscores; a hash of the place tells clashes apart."""
    name = (prefix + re.sub(r"[^a-z0-9_]", "_", last.lower()))[:128]
    if name not in taken:
        return name
    mark = hashlib.md5(place.encode(), usedforsecurity=False).hexdigest()
    return f"{name[:95]}_{mark}"
