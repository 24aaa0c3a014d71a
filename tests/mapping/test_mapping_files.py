"""What a mapping refuses, what is found wrong in files before anything runs, what is proposed."""

from __future__ import annotations

import io
import json
import tomllib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from configuration import settings
from configuration.errors import InputError
from configuration.mapping import model, propose, sql
from configuration.mapping.compiled import compiled, rules
from configuration.mapping.sources import matching
from rebuy.data.sources import wrong
from tasks.functions import plan_mapping, source_files
from tests.mapping import shops


def document(name: str = "wide") -> dict[str, Any]:
    return tomllib.loads((shops.SHOPS / name / "mapping.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"orders": {"user_id": "Kunde"}}, "[orders] names the column 'Kunde'; [files.sales] has"),
        ({"orders": {"file": "sale"}}, "[orders] file is 'sale'; there is sales"),
        ({"orders": {"one_per": None}}, "[orders] takes order_id, or one_per = 'day'"),
        ({"orders": {"ordered_at": None}}, "[orders] takes ordered_at; or all of order_number"),
        ({"orders": {"customer": "x"}}, "orders.customer: Extra inputs are not permitted"),
        ({"order_products": {"order_id": "InvoiceNo"}}, "has the orders' order_id"),
        ({"files": {"Sales": {}}}, "files.Sales"),
        ({"text_ids": ["customer"]}, "text_ids.0: Input should be 'user_id'"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_member(change: dict[str, Any], said: str) -> None:
    given = document()
    for table, members in change.items():
        if isinstance(members, dict):
            given[table] = {**given[table], **members}
            given[table] = {k: v for k, v in given[table].items() if v is not None}
        else:
            given[table] = members
    with pytest.raises(InputError) as refused:
        model.parse(given, "mapping.toml")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("shop", "old", "new", "said"),
    [
        ("wide", "CustomerID", "Customer", "line 1: its header lacks customerid and has customer"),
        (
            "wide",
            ",17,UK\n2,B",
            ",x17,UK\n2,B",
            "line 2, column CustomerID: 'x17'; wanted is a whole",
        ),
        ("wide", "2010-12-01 08:26:00", "1.12.2010", "line 2, column InvoiceDate: '1.12.2010'"),
        ("wide", '"CLOCK, RED"', '"CLOCK,\nRED"', "line 3: a quote is still open at the end"),
        ("timestamps", "\t1704103200000", "\t2024-01-01", "column epoch_ms: '2024-01-01'"),
        ("uuids", "22:30:00Z", "22:30:00", "column createdAt: '2024-06-30T22:30:00'"),
        ("uuids", "{", "[", 'line 1: \'["id"'),
    ],
)
def test_a_file_that_is_not_as_mapped_is_named_with_line_column_and_value(
    shop: str, old: str, new: str, said: str
) -> None:
    mapping = shops.mapping(shop)
    file = matching(mapping, shops.SHOPS / shop)
    mine = next(f for f in file if f.kind == mapping.orders.file)
    text = mine.path.read_text(encoding="utf-8")
    assert old in text
    seen = source_files.look(
        "a.csv", io.BytesIO(text.replace(old, new, 1).encode()), rules(mapping, mine.kind)
    )
    assert any(said in finding for finding in seen.findings), seen.findings
    assert not wrong(mapping, mine)


def test_a_parquet_file_is_told_by_its_columns_and_types() -> None:
    file = io.BytesIO()
    parquet.write_table(pa.table({"id": ["a", "b"], "at": pa.array([1, 2], pa.int64())}), file)
    columns = {"ID": "string", "at": "timestamp", "more": "bigint"}
    seen = source_files.look("p", file, {"format": "parquet", "columns": columns, "values": {}})
    assert seen.rows == 2
    assert seen.findings == [
        "p, column at: 'int64'; wanted is timestamp",
        "p, column more: 'the columns id, at'; wanted is this column",
    ]


def test_strays_and_missing_kinds_are_refused_by_their_keys() -> None:
    files = compiled(shops.mapping("timestamps"))["files"]
    said = plan_mapping.strays(["raw/source/visits/a.tsv", "raw/orders/orders.csv"], files)
    assert [line.split(":")[0] for line in said] == ["raw/orders/orders.csv", "raw/source/scans/"]


def test_a_file_in_another_encoding_is_told_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Artikel\nB\x81\n")
    files = model.Files(pattern="a.txt", encoding="windows-1252", columns=["Artikel"])
    mapping = shops.mapping("semicolons").model_copy(update={"files": {"a": files}})
    with pytest.raises(InputError, match=r"a\.txt:2: the byte 0x81 is no windows-1252"):
        wrong(mapping, matching(mapping, tmp_path)[0])


@pytest.mark.parametrize("name", shops.NAMES)
def test_what_is_proposed_is_what_a_person_wrote(name: str, tmp_path: Path) -> None:
    """But for what files cannot say: what to keep, what a day is, a place."""
    for file in matching(shops.mapping(name), shops.SHOPS / name):
        (tmp_path / file.path.name).write_bytes(file.path.read_bytes())
    proposal = propose.propose(tmp_path)
    proposed, written = proposal.mapping(), shops.mapping(name)
    assert not any(wrong(proposed, file) for file in matching(proposed, tmp_path))
    unsaid = {
        "orders": {"file", "keep", "timezone", "order_id", "one_per"},
        "order_products": {"file", "keep"},
        "products": {"file", "keep", "aisle", "department"},
    }
    for table, left_out in unsaid.items():
        mine, theirs = getattr(proposed, table), getattr(written, table)
        assert mine.model_dump(exclude=left_out) == theirs.model_dump(exclude=left_out), table
    decided = [line for line in proposal.reasons if line.startswith("orders.user_id")]
    assert decided[0].startswith("orders.user_id = ") and "(sure): its name says so" in decided[0]


def test_a_folder_without_customers_is_told_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sku,price\n1,2\n")
    with pytest.raises(InputError, match=r"There are a\.csv: sku, price"):
        propose.propose(tmp_path)


def test_the_schema_that_ships_is_that_of_the_model() -> None:
    assert model.SCHEMA.read_text(encoding="utf-8") == model.schema()


def test_instacarts_mapping_runs_no_statement_and_is_a_mapping() -> None:
    shipped = model.load(model.INSTACART)
    assert compiled(None) == {
        "sha256": shipped.sha256, "files": {}, "statements": [], "checks": []
    }  # fmt: skip
    assert "dictionary" not in sql.tables(shipped)


def test_rebuy_toml_has_the_mapping_or_names_its_file(tmp_path: Path) -> None:
    inline = (shops.SHOPS / "wide" / "mapping.toml").read_text(encoding="utf-8")
    for table in ("files", "orders", "order_products", "products"):
        inline = inline.replace(f"[{table}]", f"[source.{table}]")
    (tmp_path / "inline.toml").write_text("[source]\n" + inline, encoding="utf-8")
    (tmp_path / "named.toml").write_text('source = "mapping.toml"\n')
    (tmp_path / "mapping.toml").write_text(
        (shops.SHOPS / "wide" / "mapping.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    found = [settings.read(tmp_path / name).source for name in ("inline.toml", "named.toml")]
    assert found == [shops.mapping("wide")] * 2


def test_every_statement_names_only_what_plan_mapping_fills_in() -> None:
    given = ("RawDatabase", "LakeBucket", "SourcePlace", "folder", "try", "dropped")
    for name in shops.NAMES:
        packed = json.loads(json.dumps(compiled(shops.mapping(name))))
        names = dict.fromkeys(given, "x") | plan_mapping.before(packed["statements"], None, "x")
        for statement in packed["statements"]:
            assert "${" not in plan_mapping.filled(statement["sql"], names)


def test_a_member_that_no_line_has_is_named_with_those_that_are_there() -> None:
    held = rules(shops.mapping("uuids"), "items")
    seen = source_files.look("a.jsonl", io.BytesIO(b'{"order": "1", "sku": "A"}\n'), held)
    assert seen.findings == [
        "a.jsonl, column position: 'the members order, sku'; wanted is a value in some line"
    ]


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("%c/%e/%Y", "7/3/2026", "13/3/2026"),
        ("%Y-%m-%d %k:%i", "2026-07-03 7:05", "2026-07-03 24:05"),
        ("%d %b %y %h:%i:%s %p", "03 Jul 26 07:05:09 PM", "03 Jul 26 19:05:09 PM"),
        ("%d.%m.%Y %l:%i %p", "03.07.2026 7:05 AM", "03.07.2026 7:65 AM"),
        ("%M %e %Y %T", "July 3 2026 19:05:09", "Jul 3 2026 19:05:09"),
        ("%W %r", "Friday 07:05:09 PM", "Fri 07:05:09 PM"),
        ("%Y%j %H%S", "2026184 1959", "2026384 1959"),
    ],
)
def test_a_time_in_athenas_format_is_one(form: str, good: str, bad: str) -> None:
    """Formats of MySQL, as date_parse has them."""
    assert source_files.is_time(good, form)
    assert not source_files.is_time(bad, form)
