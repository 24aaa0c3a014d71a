"""`rebuy data check`: good data is good; what a run would refuse is named with file and line."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from configuration.errors import InputError
from rebuy.cli.contract import engine
from rebuy.data import generate
from rebuy.data.contract import advice, figures, page, sources, text
from rebuy.data.contract.checking import Contract, check
from tasks import sql

WEEK = "2026-W48"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    generate.generate(60, folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "shop"))


def checked(folder: Path) -> Contract:
    return check(sources.of_folder(folder), engine, WEEK, 1 << 30)


def expected_set(user: int) -> str:
    """By the rule in the Glue job's text (tasks/glue_jobs/join_features.py)."""
    if 10 <= zlib.crc32(f"rebuy-split-1:{user}".encode()) % 100 < 90:
        return "training"
    digits = hashlib.sha256(f"rebuy-holdout-{WEEK}:{user}".encode()).hexdigest()[:8]
    return "validation" if int(digits, 16) % 20 < 10 else "holdout"


def edit(file: Path, change: Callable[[str], str]) -> None:
    with file.open(newline="") as content:
        before = content.read()
    with file.open("w", newline="") as content:
        content.write(change(before))


def test_good_data_is_good_and_is_counted(folder: Path) -> None:
    contract = checked(folder)

    assert contract.findings == []
    lines = (folder / "orders.csv").read_text().splitlines()
    assert contract.rows["orders"] == len(lines) - 1
    assert sum(n for _, n in contract.figures["hours"]) == len(lines) - 1
    users = [int(line.split(",")[1]) for line in lines if ",train," in line]
    sets = Counter(expected_set(user) for user in users)
    assert contract.figures["users_per_set"] == [[name, sets[name]] for name in sorted(sets)]
    assert len(sets) == 3
    (products,) = [file for file in contract.files if file.name == "products.csv"]
    assert (products.encoding, products.separator, products.line_ends) == ("UTF-8", ",", ("LF",))
    assert list(text.lines(contract))[-1].startswith("good: ")


def test_folders_of_tables_are_read_as_below_raw(folder: Path) -> None:
    (folder / "orders").mkdir()
    (folder / "orders.csv").rename(folder / "orders" / "2026.csv")
    (folder / "orders" / ".old").mkdir()
    (folder / "orders" / ".old" / "x.csv").write_text("no,orders\n")
    (folder / "orders" / "empty.csv").touch()
    (folder / "readme.txt").write_text("hello")

    contract = checked(folder)

    assert contract.good
    assert [note.split(" is not read: ") for note in contract.notes if "is not read" in note] == [
        ["orders/.old/x.csv", "hidden: a part of its path begins with _ or ."],
        ["orders/empty.csv", "empty"],
        ["readme.txt", "no file of a table"],
    ]


def last(line: str) -> Callable[[str], str]:
    return lambda content: content + line


CASES: list[tuple[str, Callable[[str], str], str, str, str]] = [
    (
        "order_products__prior.csv",
        last("999999999,1,1,0\n"),
        "order_lines_have_an_order",
        "order_id=999999999",
        "add the orders of these lines",
    ),
    (
        "orders.csv",
        lambda content: content + content.splitlines(keepends=True)[3],
        "orders_are_unique",
        "rows_found=2",
        "is a file there twice",
    ),
    ("products.csv", last("99999,Tea,1,999\n"), "products_have_a_department", "=999", "add the"),
    ("aisles.csv", last('999,"a\nb"\n'), "raw_lines_close_their_quotes", '999,"a', "on one line"),
    ("orders.csv", lambda content: re.sub(r"(?m)^(\d+,)7,", r"\1x,", content),
     "orders_have_valid_types", "user_id=x", "digits"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[2])
def test_what_a_run_would_refuse_is_named_with_file_line_value_and_advice(
    folder: Path, case: tuple[str, Callable[[str], str], str, str, str]
) -> None:
    name, change, rule, value, told = case
    edit(folder / name, change)

    contract = checked(folder)

    (found,) = [finding for finding in contract.findings if finding.rule == rule]
    assert found.file == name and found.line is not None
    line = (folder / name).read_text().splitlines()[found.line - 1]
    assert value in found.value and told in found.advice
    assert value.split("=")[-1] in line or rule == "orders_are_unique"
    assert not contract.good


def test_files_that_cannot_be_read_come_before_their_rows(folder: Path) -> None:
    edit(folder / "orders.csv", lambda content: content.replace(",", ";"))
    (folder / "aisles.csv").unlink()

    contract = checked(folder)

    assert [(found.rule, found.file) for found in contract.findings] == [
        ("raw_tables_are_as_expected", str(folder)),
        ("raw_files_have_the_header", "orders.csv"),
    ]
    assert contract.skipped and contract.rules == [] and contract.figures == {}


def test_too_few_users_and_times_without_orders_are_told(folder: Path) -> None:
    edit(folder / "orders.csv", lambda content: content.replace(",train,", ",test,"))
    contract = checked(folder)
    (found,) = [one for one in contract.findings if one.rule == "users_fill_every_set"]
    assert found.value == "training: 0, validation: 0, holdout: 0"

    counted = {**contract.figures, "hours": [[hour, 100] for hour in range(24) if hour != 3]}
    assert "no order at all in the hours 3: a gap in time?" in figures.judge(counted)[1]


def test_every_rule_has_its_advice() -> None:
    rules = {file.stem for file in (sql.ROOT / "checks").glob("*.sql")}
    assert rules | {"users_fill_every_set"} == set(advice.ADVICE)


def test_the_page_is_whole_escaped_and_refers_to_nothing_outside(folder: Path) -> None:
    edit(folder / "aisles.csv", last('999,<script>"&\n'))

    written = page.page(checked(folder), "2026-11-29 12:00")

    found: list[tuple[str, dict[str, Any]]] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))

    Tags().feed(written)
    names = [tag for tag, _ in found]
    assert names.count("figure") == len(figures.FIGURES)
    assert not {"script", "link", "img"} & set(names)
    assert not [given for _, given in found if "href" in given or "src" in given]
    assert "aisles.csv, line 136" in written and "&lt;script&gt;" in written
    assert "prefers-color-scheme: dark" in written and "@media print" in written


def test_a_folder_without_raw_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no raw file; wanted are aisles\.csv"):
        sources.of_folder(tmp_path)


@contextlib.contextmanager
def offline() -> Iterator[dict[str, str]]:
    """An environment in which any way out would fail."""
    yield {**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "HTTPS_PROXY": "127.0.0.1:9"}


def test_the_command_says_it_by_its_exit_code(folder: Path) -> None:
    rebuy = [str(Path(sys.executable).with_name("rebuy")), "data", "check"]

    def call(*arguments: str) -> tuple[int, str]:
        with offline() as environment:
            done = subprocess.run(
                [*rebuy, *arguments], capture_output=True, text=True, env=environment, timeout=120
            )
        return done.returncode, done.stdout

    code, printed = call(str(folder), "--json")
    assert (code, json.loads(printed)["good"]) == (0, True)
    edit(folder / "orders.csv", lambda content: content.replace(",", "\t"))
    code, printed = call(str(folder))
    assert code == 1 and "separated by a tab" in printed
    assert call(str(folder / "nowhere"))[0] == 2
