"""Reading a channel of Parquet rows, a batch at a time, and checking it while it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xgboost as xgb

from training import metrics
from training.errors import TrainingError
from training.features import KEYS, LABEL, WIRE_FEATURES, WORDS

SCORING = "scoring"
CHANNELS = ("training", "validation", "holdout", SCORING, "products", "champion")
BATCH_ROWS = 262_144  # 38 float32 columns: 40 MB a batch
# A set whose numbers take no more is decoded once and kept; of a larger one every pass over it
# decodes its files anew, so that memory does not grow with it.
KEPT_BYTES = 1024**3
CACHED_ROWS = 4_096  # of so many rows, columns become rows without leaving the processor's cache
# So many rows teach a model to do with 18 numbers; more cost time, and teach it no better.
MOST_LINES = 500_000

Array = Any  # a numpy array; the docstrings say its shape and type


@dataclass(frozen=True)
class Batch:
    """Rows of a set: `matrix` (rows, features) float32, `label` (rows,) float32 of 0 and 1; none
    of a set without labels."""

    matrix: Array
    label: Array
    user_id: Array
    product_id: Array
    order_id: Array

    def every(self, so_many: int) -> Batch:
        """Each so-many-th row."""
        return self._at(slice(None, None, so_many))

    def part(self, first: int, last: int) -> Batch:
        return self._at(slice(first, last))

    def _at(self, rows: slice) -> Batch:
        return Batch(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class ParquetSet:
    """One channel: its files in name order, and the features they all hold."""

    name: str
    files: tuple[Path, ...]
    features: tuple[str, ...]
    labels: tuple[str, ...] = (LABEL,)  # none in the set to score

    def rows(self) -> int:
        return sum(int(pq.ParquetFile(file).metadata.num_rows) for file in self.files)

    def nullable(self) -> list[str]:
        """The features that are null in some row, as the files' footers count them."""
        found = set()
        for file in self.files:
            footer = pq.ParquetFile(file).metadata
            for group in range(footer.num_row_groups):
                for at in range(footer.num_columns):
                    chunk = footer.row_group(group).column(at)
                    if chunk.statistics is None or chunk.statistics.null_count:
                        found.add(chunk.path_in_schema)
        return [name for name in self.features if name in found]

    def column(self, name: str) -> Array:
        """A column of all rows, in file order, as float32; null is NaN."""
        if self._kept and name in self.features:
            return self._decoded.matrix[:, self.features.index(name)].copy()
        parts = (rows for file in self.files for rows in self._decode(file, [name]))
        none = np.empty(0, np.float32)  # a set may be empty
        return np.concatenate([none, *(_numbers(rows.column(name)) for rows in parts)])

    def batches(self, features: tuple[str, ...] | None = None) -> Iterator[Batch]:
        """The rows in file order. `features` chooses and orders the matrix's columns (all).

        Raises TrainingError for a label that is not 0 or 1, a null key or an infinite feature.
        """
        names = self.features if features is None else features
        if self._kept:
            places = [self.features.index(name) for name in names]
            for first in range(0, len(self._decoded.user_id), BATCH_ROWS):
                batch = self._decoded.part(first, first + BATCH_ROWS)
                if names != self.features:
                    batch = replace(batch, matrix=batch.matrix[:, places])
                yield batch
        else:
            yield from self._read(names)

    @property
    def _kept(self) -> bool:
        return bool(self.labels) and 4 * self.rows() * len(self.features) <= KEPT_BYTES

    @cached_property
    def _decoded(self) -> Batch:
        """All rows."""
        rows = self.rows()
        whole = Batch(
            np.empty((rows, len(self.features)), dtype=np.float32),
            np.empty(rows, dtype=np.float32),
            *(np.empty(rows, dtype=np.int64) for _ in KEYS),
        )
        first = 0
        for batch in self._read(self.features):
            last = first + len(batch.user_id)
            for field in fields(Batch):
                getattr(whole, field.name)[first:last] = getattr(batch, field.name)
            first = last
        return whole

    def forget(self) -> None:
        """Gives back the memory of a set that was kept."""
        self.__dict__.pop("_decoded", None)

    def _read(self, names: tuple[str, ...]) -> Iterator[Batch]:
        for file in self.files:
            for rows in self._decode(file, [*KEYS, *self.labels, *names]):
                if rows.num_rows:
                    yield self._batch(file, rows, names)

    def _decode(self, file: Path, columns: list[str]) -> Iterator[Any]:
        """The file's rows in batches. Each page is held to the checksum that Spark gives it: of
        changed bytes, many would be other numbers and no error. Raises TrainingError."""
        try:
            reader = pq.ParquetFile(file, page_checksum_verification=True)
            yield from reader.iter_batches(batch_size=BATCH_ROWS, columns=columns)
        except (pa.ArrowException, OSError) as error:
            raise TrainingError(
                f"The {self.name} set, file {file.name} is damaged: {error}"
            ) from error

    def spread(self, features: tuple[str, ...], most: int) -> tuple[Array, Array]:
        """(matrix, label) of at most `most` rows, evenly spread over the set."""
        every = -(-self.rows() // most)
        parts = [batch.every(every) for batch in self.batches(features)]
        return np.concatenate([p.matrix for p in parts]), np.concatenate([p.label for p in parts])

    def survey(self) -> tuple[dict[str, int], Array]:
        """How many `rows`, `users`, `orders` and `positives` (rows of label 1) the set holds; and
        the users, (users,).

        Raises TrainingError, before any time goes into training, for a label or key that
        `batches` refuses, or when all labels are the same: nothing can be learned or measured.
        """
        rows = positives = 0
        seen: list[Array] = []
        predicted: list[Array] = []
        for batch in self.batches(()):
            rows += len(batch.label)
            positives += int(batch.label.sum())
            seen.append(_each_once(batch.user_id))
            predicted.append(_each_once(batch.order_id))
        users, orders = np.unique(np.concatenate(seen)), np.unique(np.concatenate(predicted))
        if positives in (0, rows):
            kind = "positive (1)" if positives == 0 else "negative (0)"
            raise TrainingError(f"The {self.name} set has {rows} rows and no {kind} label.")
        counts = {"rows": rows, "users": len(users), "orders": len(orders)}
        return {**counts, "positives": positives}, users

    def _batch(self, file: Path, rows: Any, names: tuple[str, ...]) -> Batch:
        where = f"The {self.name} set, file {file.name}"
        label = _numbers(rows.column(LABEL)) if self.labels else np.empty(0, dtype=np.float32)
        right = (label == 0) | (label == 1)  # NaN is neither, so a missing label fails too
        if not right.all():
            wrong = label[~right]
            raise TrainingError(
                f"{where}: {len(wrong)} labels are not 0 or 1 (the first is {wrong[0]}; "
                "nan means missing)."
            )
        matrix = _side_by_side([_numbers(rows.column(name)) for name in names], rows.num_rows)
        infinite = np.isinf(matrix)
        if infinite.any():
            name = names[int(infinite.any(axis=0).argmax())]
            raise TrainingError(f"{where}: feature {name} holds an infinite value.")
        return Batch(matrix, label, *(self._keys(where, rows, name) for name in KEYS))

    def _keys(self, where: str, rows: Any, name: str) -> Array:
        column = rows.column(name)
        if column.null_count:
            raise TrainingError(f"{where}: {column.null_count} rows have no {name}.")
        return column.to_numpy(zero_copy_only=False)


@dataclass(frozen=True)
class Scores:
    """A labelled set as a model sees it: (rows,) arrays in file order."""

    label: Array
    probability: Array
    user_id: Array
    product_id: Array
    order_id: Array

    def where(self, mask: Array) -> Scores:
        return Scores(*(getattr(self, field.name)[mask] for field in fields(self)))

    def has_both_labels(self) -> bool:
        return 0 < self.label.sum() < len(self.label)

    def auc(self) -> float:
        return metrics.auc(self.label, self.probability)


def files_of(name: str, folder: str | None, pattern: str = "*.parquet") -> tuple[Path, ...]:
    """The files of the channel `name`, below `folder` at any depth, hidden ones apart.

    Raises TrainingError when the channel or its files are missing.
    """
    if not folder:
        raise TrainingError(
            f"Channel {name!r} is missing: SM_CHANNEL_{name.upper()} is not set. "
            f"The job needs the channels {', '.join(CHANNELS)}."
        )
    root = Path(folder)
    files = tuple(
        path
        for path in sorted(root.rglob(pattern))
        if path.is_file()
        and not any(part.startswith((".", "_")) for part in path.relative_to(root).parts)
    )
    if not files:
        kind = f"{pattern[1:]} file".strip()
        raise TrainingError(f"Channel {name!r} has no {kind} below its folder.")
    return files


def open_set(name: str, folder: str | None) -> ParquetSet:
    """The channel `name` as a set; `scoring` has no labels, and may be empty.

    Raises TrainingError when the channel, its files or a column is missing, when a column is not
    numeric, or when the files disagree on their columns.
    """
    files = files_of(name, folder)
    labels = () if name == SCORING else (LABEL,)
    schemas = {file: _schema(name, file) for file in files}
    first = schemas[files[0]]
    for file, schema in schemas.items():
        if set(schema.names) != set(first.names):
            odd = sorted(set(schema.names) ^ set(first.names))
            raise TrainingError(
                f"The {name} set: {file.name} and {files[0].name} differ in the columns "
                f"{', '.join(odd)}."
            )
    words = WORDS if name == SCORING else ()
    missing = [c for c in (*KEYS, *labels, *words, *WIRE_FEATURES) if c not in first.names]
    if missing:
        raise TrainingError(
            f"The {name} set has no column {', '.join(missing)}. It has: {', '.join(first.names)}."
        )
    known = {*KEYS, LABEL, *WORDS, *WIRE_FEATURES}  # the others' are null in a set
    more = tuple(column for column in first.names if column not in known)
    features = (*WIRE_FEATURES, *more)
    for file, schema in schemas.items():
        for column in (*labels, *words, *features):
            kind = schema.field(column).type
            if not _is_number(kind):
                raise TrainingError(
                    f"The {name} set, file {file.name}: column {column} is {kind}, "
                    "a number is needed."
                )
    opened = ParquetSet(name, files, features, labels)
    if not opened.rows() and name != SCORING:
        raise TrainingError(f"The {name} set is empty: {len(files)} files, no row.")
    return opened


class BatchIterator(xgb.DataIter):
    """Hands a set to XGBoost batch by batch; it asks for the whole set a few times over.

    Where there are more features than the wire's, each row comes a second time with those alone (of
    a large set, a share of the rows): a model that has never seen the others missing answers a line
    of 18 numbers at random.
    """

    def __init__(self, data: ParquetSet, features: tuple[str, ...]) -> None:
        super().__init__()
        self._data, self._features = data, features
        self._both_forms = len(features) > len(WIRE_FEATURES)
        self._line_every = -(-data.rows() // MOST_LINES)
        self._batches = self._forms()

    def _forms(self) -> Iterator[Batch]:
        for batch in self._data.batches(self._features):
            yield batch
            if self._both_forms:
                some = batch.every(self._line_every)
                yield replace(some, matrix=wire_form(some.matrix, self._features))

    def reset(self) -> None:
        self._batches = self._forms()

    def next(self, input_data: Callable[..., None]) -> bool:
        batch = next(self._batches, None)
        if batch is None:
            return False
        input_data(data=batch.matrix, label=batch.label, feature_names=list(self._features))
        return True


def wire_form(matrix: Array, features: tuple[str, ...]) -> Array:
    """The rows as a line of 18 numbers has them: every other feature is missing."""
    others = [position for position, name in enumerate(features) if name not in WIRE_FEATURES]
    reduced = matrix.copy()
    reduced[:, others] = np.nan
    return reduced


def _side_by_side(columns: list[Array], rows: int) -> Array:
    """(rows, columns) float32."""
    matrix = np.empty((rows, len(columns)), dtype=np.float32)
    for first in range(0, rows, CACHED_ROWS):
        some = slice(first, first + CACHED_ROWS)
        for position, column in enumerate(columns):
            matrix[some, position] = column[some]
    return matrix


def _each_once(ids: Array) -> Array:
    """The different ones, which mostly stand side by side."""
    return np.unique(ids[np.append(True, ids[1:] != ids[:-1])]) if len(ids) else ids


def _schema(name: str, file: Path) -> Any:
    try:
        return pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise TrainingError(
            f"The {name} set: {file.name} is not a Parquet file: {error}"
        ) from error


def _is_number(kind: Any) -> bool:
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(check(kind) for check in checks)


def _numbers(column: Any) -> Array:
    """The column as float32; null becomes NaN, which XGBoost takes as missing."""
    if pa.types.is_decimal(column.type):  # decimals have no direct cast to float32
        column = pc.cast(column, pa.float64())
    return pc.cast(column, pa.float32(), safe=False).to_numpy(zero_copy_only=False)
