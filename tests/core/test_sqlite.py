"""What is written together is there together, whoever else writes and whenever the process ends."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from localaws.documents import Documents
from localaws.errors import AwsError
from localaws.sqlite import SqliteDatabase
from tests.threads import on_threads


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    return Documents(tmp_path / "documents.sqlite")


def test_of_many_threads_that_change_a_document_none_is_lost(documents: Documents) -> None:
    documents.put("counter", "a", {"count": 0, "by": []})

    def add(number: int) -> None:
        for _ in range(25):
            with documents.changing("counter", "a") as counter:
                counter["count"] += 1
                counter["by"].append(number)

    on_threads(8, add)
    counter = documents.get("counter", "a") or {}
    assert counter["count"] == 200
    assert sorted(counter["by"]) == sorted(number for number in range(8) for _ in range(25))


def test_what_is_atomic_is_done_by_one_thread_at_a_time(documents: Documents) -> None:
    @documents.atomic
    def add(tag: str) -> None:
        tags = documents.get("tags", "a") or {}
        documents.put("tags", "a", {**tags, tag: "x"})

    on_threads(8, lambda number: [add(f"{number}-{tag}") for tag in range(10)] and None)
    assert len(documents.get("tags", "a") or {}) == 80


def test_a_block_that_raises_writes_nothing(documents: Documents) -> None:
    documents.put("table", "a", {"n": 1})
    with pytest.raises(AwsError, match="Throttled"), documents.transaction():
        documents.put("table", "b", {})
        with documents.changing("table", "a") as table:
            table["n"] = 2
        raise AwsError("Throttled", "no")
    assert documents.items("table") == [("a", {"n": 1})]


def test_an_inner_block_is_undone_alone(documents: Documents) -> None:
    with documents.transaction():
        documents.put("table", "outer", {})
        with pytest.raises(KeyError), documents.transaction():
            documents.put("table", "inner", {})
            raise KeyError
        documents.put("table", "after", {})
    assert [key for key, _ in documents.items("table")] == ["outer", "after"]


def test_a_document_that_is_not_there_is_the_callers_error(documents: Documents) -> None:
    with (
        pytest.raises(AwsError, match="EntityNotFound"),
        documents.changing("table", "a", AwsError("EntityNotFound", "a")),
    ):
        raise AssertionError("the block must not run")
    with pytest.raises(KeyError, match="There is no table 'a'"), documents.changing("table", "a"):
        raise AssertionError("the block must not run")


def test_a_kill_inside_a_transaction_leaves_no_half(tmp_path: Path) -> None:
    file = tmp_path / "documents.sqlite"
    Documents(file).put("table", "before", {})
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from localaws.documents import Documents\n"
        "documents = Documents(Path(sys.argv[1]))\n"
        "documents.put('table', 'answered', {})\n"
        "with documents.transaction():\n"
        "    documents.put('table', 'half', {})\n"
        "    documents.delete('table', 'before')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(file)], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [key for key, _ in Documents(file).items("table")] == ["before", "answered"]


def test_a_file_is_brought_up_to_date_once(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite"
    first = "CREATE TABLE IF NOT EXISTS t (a)"
    older = sqlite3.connect(file)  # a file of before there was a version
    older.execute("CREATE TABLE t (a)")
    older.execute("INSERT INTO t VALUES (1)")
    older.commit()
    older.close()

    second = "ALTER TABLE t ADD COLUMN b; UPDATE t SET b = a + 1"
    for _ in range(2):
        database = SqliteDatabase(file, [first, second])
        assert database.rows("SELECT a, b FROM t") == [(1, 2)]
        database.close()

    with pytest.raises(sqlite3.OperationalError):
        SqliteDatabase(file, [first, second, "UPDATE t SET a = 5; UPDATE nowhere SET a = 1"])
    database = SqliteDatabase(file, [first, second])
    assert database.rows("SELECT a FROM t") == [(1,)]
    database.close()

    with pytest.raises(ValueError, match="has version 2, and this localaws knows versions up to 1"):
        SqliteDatabase(file, [first])


@pytest.mark.parametrize(
    "damage", [b"no database at all" * 300, b"SQLite format 3\0" + b"\7" * 4096]
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "documents.sqlite"
    file.write_bytes(damage)
    with pytest.raises(ValueError, match=r"documents\.sqlite is damaged \(SQLite says: .*\)\. Put"):
        Documents(file)
    assert file.read_bytes() == damage


def test_damage_that_shows_only_when_it_is_read_is_told_as_well(tmp_path: Path) -> None:
    file = tmp_path / "documents.sqlite"
    documents = Documents(file)
    for number in range(1000):
        documents.put("table", str(number), {"columns": "x" * 500})
    documents.close()
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8192] = b"\7" * 8192
    file.write_bytes(data)

    documents = Documents(file)
    with pytest.raises(ValueError, match=r"documents\.sqlite is damaged \(SQLite says: .*\)\. Put"):
        documents.items("table")
    documents.close()


def test_a_text_that_was_changed_under_sqlite_is_told_as_well(tmp_path: Path) -> None:
    """SQLite has no checksums: what it cannot see shows as JSON that is none."""
    file = tmp_path / "documents.sqlite"
    documents = Documents(file)
    documents.put("table", "orders", {"columns": "the-columns"})
    documents.close()
    file.write_bytes(file.read_bytes().replace(b'"the-columns"', b'"the-colum\0\7"'))

    documents = Documents(file)
    told = r"documents\.sqlite is damaged \(what should be JSON is not: .*\)\. Put a copy"
    with pytest.raises(ValueError, match=told):
        documents.get("table", "orders")
    documents.close()
