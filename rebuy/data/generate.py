"""A made-up data set of any size, in the shape and with the statistics of Instacart 2017.

Not modelled: that products go together, and that tastes differ by department. Products bought once
are fewer than in the original (.54 of a user's, not .63): more of them would make the data easier
than it is. The real files may be put in the place of these unchanged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from configuration.errors import InputError
from rebuy.data import baskets, catalogue, files, orders, shape
from rebuy.data.catalogue import Catalogue

MOST_USERS = 10_000_000
USERS_AT_ONCE = 2_000
THREADS = 2  # each holds one group of users, about 300 MiB
_GAP_TEXT = pa.array([f"{days}.0" for days in range(shape.GAP_CAP_DAYS + 1)] + [None])
_HOUR_TEXT = pa.array([f"{hour:02}" for hour in range(24)])
_EVAL_SETS = pa.array(["prior", "train", "test"])
_PRIOR, _TRAIN, _TEST = range(3)


@dataclass(frozen=True)
class GeneratedData:
    """What was written: the folder, its files by name, and how many rows each kind has."""

    folder: Path
    files: tuple[Path, ...]
    seed: int
    users: int
    train_users: int
    products: int
    orders: int
    prior_lines: int
    train_lines: int


@dataclass(frozen=True)
class _Group:
    """The task of one thread: some users, with all that was decided for them beforehand."""

    first_user: int
    order_counts: orders.Integers
    order_ids: orders.Integers
    last_kind: orders.Integers  # _TRAIN or _TEST of each user
    seed: np.random.SeedSequence


@dataclass(frozen=True)
class _Rows:
    orders: list[pa.Array]
    prior: list[pa.Array]
    train: list[pa.Array]


def generate(
    users: int,
    out: Path,
    seed: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> GeneratedData:
    """Write the six CSV files for this many users into the folder `out`.

    The same `users` and `seed` give the same bytes. orders.csv and the order lines stand user
    by user; order ids are shuffled. The catalogue has all 49,688 products at any size. The
    users are split into train and test as in the original, 131,209 to 75,000, with at least
    one train user. `progress` is called with (users written, users).

    Raises InputError if `users` is not 1 to 10,000,000, `seed` is negative, or `out` is a file
    or a folder that holds anything but an earlier data set (which is then replaced).
    """
    out = Path(out)
    _check(users, out, seed)
    out.mkdir(parents=True, exist_ok=True)
    for file in files.RAW_FILES:
        (out / file.name).unlink(missing_ok=True)
    catalogue_seed, users_seed, *group_seeds = np.random.SeedSequence(seed).spawn(
        2 + -(-users // USERS_AT_ONCE)
    )
    products = catalogue.make(np.random.default_rng(catalogue_seed))
    _write_catalogue(out, products)
    groups = _groups(users, np.random.default_rng(users_seed), group_seeds)
    written = dict.fromkeys((files.ORDERS, files.PRIOR, files.TRAIN), 0)
    with ExitStack() as stack:
        sinks = {file: stack.enter_context((out / file.name).open("wb")) for file in written}
        for file, sink in sinks.items():
            files.write_header(sink, file)
        users_done = 0
        for group, rows in _in_order(groups, products):
            for file, columns in zip(written, (rows.orders, rows.prior, rows.train), strict=True):
                files.write_rows(sinks[file], columns)
                written[file] += len(columns[0])
            users_done += len(group.order_counts)
            if progress:
                progress(users_done, users)
    return GeneratedData(
        folder=out,
        files=tuple(out / file.name for file in files.RAW_FILES),
        seed=seed,
        users=users,
        train_users=_train_users(users),
        products=len(products.name),
        orders=written[files.ORDERS],
        prior_lines=written[files.PRIOR],
        train_lines=written[files.TRAIN],
    )


def _check(users: int, out: Path, seed: int) -> None:
    if isinstance(users, bool) or not isinstance(users, int) or not 1 <= users <= MOST_USERS:
        raise InputError(f"users is {users!r}; a whole number from 1 to {MOST_USERS:,} is wanted.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed is {seed!r}; a whole number from 0 up is wanted.")
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"out is the file {out}; a new, empty or earlier data folder is wanted.")
    own = {file.name for file in files.RAW_FILES}
    others = sorted(path.name for path in out.iterdir() if path.name not in own)
    if others:
        shown = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
        raise InputError(
            f"out is {out}, which holds other files ({shown}); a new or empty folder is wanted, "
            f"or one with only an earlier data set ({', '.join(sorted(own))})."
        )


def _write_catalogue(out: Path, products: Catalogue) -> None:
    files.write_small(out, files.AISLES, list(enumerate(products.aisles, start=1)))
    files.write_small(out, files.DEPARTMENTS, list(enumerate(products.departments, start=1)))
    rows = zip(
        products.product_id.tolist(),
        products.name,
        products.aisle_id.tolist(),
        products.department_id.tolist(),
        strict=True,
    )
    files.write_small(out, files.PRODUCTS, sorted(rows))


def _train_users(users: int) -> int:
    return max(1, round(users * shape.TRAIN_USERS / shape.FULL_USERS))


def _groups(
    users: int, rng: np.random.Generator, seeds: list[np.random.SeedSequence]
) -> Iterator[_Group]:
    order_counts = orders.counts(users, rng)
    order_ids = rng.permutation(int(order_counts.sum())) + 1
    last_kind = np.full(users, _TEST)
    last_kind[rng.permutation(users)[: _train_users(users)]] = _TRAIN
    first_order = np.append(0, np.cumsum(order_counts))
    for index, seed in enumerate(seeds):
        start, stop = index * USERS_AT_ONCE, min((index + 1) * USERS_AT_ONCE, users)
        yield _Group(
            first_user=start + 1,
            order_counts=order_counts[start:stop],
            order_ids=order_ids[first_order[start] : first_order[stop]],
            last_kind=last_kind[start:stop],
            seed=seed,
        )


def _in_order(groups: Iterator[_Group], products: Catalogue) -> Iterator[tuple[_Group, _Rows]]:
    """The rows of each group, made on a few threads (numpy lets go of the lock), in order."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="generate") as pool:
        running: deque[tuple[_Group, Future[_Rows]]] = deque()
        for group in groups:
            running.append((group, pool.submit(_rows, group, products)))
            if len(running) > THREADS:
                done, rows = running.popleft()
                yield done, rows.result()
        while running:
            done, rows = running.popleft()
            yield done, rows.result()


def _rows(group: _Group, products: Catalogue) -> _Rows:
    rng = np.random.default_rng(group.seed)
    made = orders.make(group.order_counts, rng)
    lines = baskets.fill(group.order_counts, made.gap, products, rng)
    kind = np.where(made.is_last, group.last_kind[made.user], _PRIOR)
    line_kind = kind[lines.order]
    line_columns = (
        group.order_ids[lines.order],
        products.product_id[lines.product],
        lines.position,
        lines.reordered,
    )
    return _Rows(
        orders=[
            pa.array(group.order_ids),
            pa.array(made.user + group.first_user),
            _EVAL_SETS.take(pa.array(kind)),
            pa.array(made.number),
            pa.array(made.day),
            _HOUR_TEXT.take(pa.array(made.hour)),
            _GAP_TEXT.take(pa.array(made.gap % len(_GAP_TEXT))),
        ],
        prior=[pa.array(column[line_kind == _PRIOR]) for column in line_columns],
        train=[pa.array(column[line_kind == _TRAIN]) for column in line_columns],
    )
