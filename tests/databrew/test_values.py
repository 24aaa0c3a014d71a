"""No value is lost that no step names: cells that a job was not asked to change."""

from __future__ import annotations

import csv
import io
import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.core.jobs.failures import WorkFailed
from localaws.core.jobs.limits import Limits
from localaws.databrew import work
from tests.databrew.conftest import step

LIMITS = Limits(memory_bytes=1 << 30, threads=2)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def run(
    folder: Path, *files: str | bytes, steps: Any = (), kind: str = "CSV", **options: Any
) -> str:
    """What the recipe writes as CSV of the files. Raises WorkFailed."""
    return result(folder, *files, steps=steps, kind=kind, **options)[1].decode()


def result(
    folder: Path,
    *files: str | bytes,
    steps: Any = (),
    kind: str = "CSV",
    output: Any = (),
    **options: Any,
) -> tuple[str, bytes]:
    """The key and the bytes of the one file that the recipe writes. Raises WorkFailed."""
    placed = []
    for text in files:
        path = folder / uuid.uuid4().hex
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        file = {"uri": f"s3://lake/{len(placed)}", "path": str(path), "bytes": len(text)}
        placed.append({**file, "etag": "", "modified": 0.0})
    source = {"name": "d", "format": kind, "options": options, "files": placed, "table": None}
    wanted = {"Format": "CSV", "Location": {"Bucket": "lake"}, "Overwrite": True}
    wanted |= {"PartitionColumns": [], **dict(output)}
    request = {"steps": list(steps), "source": source, "datasets": {}, "job": "j", "when": NOW}
    request |= {"now": NOW, "folder": str(folder / uuid.uuid4().hex)}
    request["outputs"] = [wanted]
    (found,) = work.run(request, LIMITS)
    (written,) = found["files"]
    return written["key"], Path(written["file"]).read_bytes()


# Where a source is given: Spark 3.5's inferSchema, on the same cells.
@pytest.mark.parametrize(
    ("cells", "written"),
    [
        pytest.param(["yes", "no"], ["yes", "no"], id="only true and false are booleans"),
        pytest.param(["T", "F"], ["T", "F"], id="T and F are texts"),
        pytest.param(["True", "false"], ["true", "false"], id="booleans in lower case"),
        pytest.param(["31.12.2020", "2020.12.31"], ["31.12.2020", "2020.12.31"], id="dotted dates"),
        pytest.param(["1/2/1908"], ["1/2/1908"], id="dates with slashes"),
        pytest.param(["2020-01-02", "2020-1-2"], ["2020-01-02", "2020-1-2"], id="half of a date"),
        pytest.param(["12345678901234567890", "7"], ["12345678901234567890", "7"], id="20 digits"),
        pytest.param(["9007199254740993"], ["9007199254740993"], id="beyond a double"),
        pytest.param(["007", "8"], ["007", "8"], id="leading zeros"),
        pytest.param(["+491511234567"], ["+491511234567"], id="a phone number"),
        pytest.param(["9007199254740993", "1.5"], ["9007199254740993", "1.5"], id="16 digits"),
        pytest.param(["0.1000000000000000055"], ["0.1000000000000000055"], id="many decimals"),
        pytest.param(["1e-400", "1.5"], ["1e-400", "1.5"], id="smaller than a double"),
        pytest.param(["1_000", "0x1F"], ["1_000", "0x1F"], id="numbers of programmers"),
        pytest.param(["1", "n/a"], ["1", "n/a"], id="a misfit among numbers"),
        pytest.param(["5%", "1,5"], ["5%", '"1,5"'], id="what Spark leaves as text"),
        pytest.param(["1"] * 25_000 + ["n/a"], ["1"] * 25_000 + ["n/a"], id="a late misfit"),
        pytest.param([" x "], [" x "], id="blanks around a text"),
        pytest.param(["####/04/##", "#"], ["####/04/##", "#"], id="masks, as DataBrew writes them"),
    ],
)
def test_a_cell_stays_as_it_is(tmp_path: Path, cells: list[str], written: list[str]) -> None:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows([["id", "cell"], *enumerate(cells)])

    text = run(tmp_path, sink.getvalue())

    assert text.splitlines()[1:] == [f"{n},{cell}" for n, cell in enumerate(written)]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("id,ID,Id", "id,ID_1,Id_2"),
        ("a,a,a_1", "a,a_1,a_1_1"),
        ("a,,", "a,column1,column2"),
    ],
)
def test_columns_of_one_name_or_none_keep_their_values(
    tmp_path: Path, header: str, names: str
) -> None:
    """Spark and DuckDB take names that differ in case only for one."""
    assert run(tmp_path, f"{header}\n1,2,3\n") == f"{names}\n1,2,3\n"


def test_hundreds_of_columns_take_no_minutes(tmp_path: Path) -> None:
    text = ",".join(f"c{n}" for n in range(600)) + "\n" + ",".join(map(str, range(600))) + "\n"
    started = time.process_time()

    assert run(tmp_path, text) == text
    assert time.process_time() - started < 20  # it was 100 s


def test_a_cell_of_two_lines_changes_nothing_of_the_others(tmp_path: Path) -> None:
    text = 'id,name,note\n1,,x\n2,"",y\n3,z,"two\nlines"\n'

    assert run(tmp_path, text) == 'id,name,note\n1,,x\n2,,y\n3,z,"two\nlines"\n'


CELLS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=8),
    st.integers(-(10**25), 10**25).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.dates().map(str),
    st.datetimes().map(str),
    st.sampled_from(["", "true", "FALSE", "yes", "NaN", "007", "1e3", "-0", ".5", "\t7", "2020"]),
)


def same(cell: str, written: str) -> bool:
    """Equal as texts; or as numbers, words of truth or moments that are written in another way."""
    if cell == written or cell.lower() == written:
        return True
    try:
        return not cell.startswith("+") and Decimal(cell) == Decimal(repr(float(written)))
    except (ArithmeticError, ValueError):
        return cell.replace("T", " ").removesuffix("Z").rstrip("0") == written.rstrip("0")


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_csv_comes_out_of_an_empty_recipe_with_its_values(tmp_path: Path, data: Any) -> None:
    kinds = data.draw(st.lists(st.sampled_from([CELLS, *CELLS.original_strategies]), min_size=1))
    rows = data.draw(st.lists(st.tuples(*kinds), min_size=1, max_size=5))
    sink = io.StringIO()
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([f"column {n}" for n in range(len(kinds))])
    writer.writerows(rows)

    written = list(csv.reader(io.StringIO(run(tmp_path, sink.getvalue()), newline="")))[1:]

    if len(kinds) > 1:  # a line of one empty cell is an empty line, which readers skip
        assert len(written) == len(rows)
        for row, found in zip(rows, written, strict=True):
            assert all(map(same, row, found)), (row, found)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (["a,b\n1,x\n2,y,extra\n"], "Dataset d has a line with more cells than its header"),
        (['a,b\n1,"x\ny"\n2,y,extra\n'], "A line of s3://lake/0 has 3 cells, more than its header"),
        (["a,b\n1,2\n", "b,a\n2,1\n"], "s3://lake/1 has another header than the dataset's first"),
        ([b"a\n\xe9\n"], "s3://lake/0 is not UTF-8, the one encoding that DataBrew reads"),
        ([b"\xff\xfea\x00\n\x00"], "s3://lake/0 is not UTF-8"),
        (["\n"], "Dataset d has no line, and so no column."),
        (
            ['a,b\n1,2\n3,"x\n4,5\n'],
            "s3://lake/0 has quotes that do not match, at or before line 4",
        ),
        (['a,b\n"24" screen,2\n'], "s3://lake/0 has quotes that do not match, at or before line 2"),
    ],
)
def test_what_would_be_lost_fails_the_run(tmp_path: Path, files: list[Any], problem: str) -> None:
    with pytest.raises(WorkFailed) as caught:
        run(tmp_path, *files)

    assert caught.value.message.startswith(problem)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("CSV", "a,b\nNaN,NaN\n-Infinity,Infinity\n1,-1.0\n"),
        (
            "JSON",
            '{"a":"NaN","b":"NaN"}\n{"a":"-Infinity","b":"Infinity"}\n{"a":"1","b":-1.0}\n',
        ),
    ],
)
def test_what_is_no_finite_number_is_written_as_spark_does(
    tmp_path: Path, kind: str, written: str
) -> None:
    """JSON has no such numbers: they are texts."""
    steps = [step("NEGATE", sourceColumn="a", targetColumn="b")]

    text = "a\nNaN\n-Infinity\n1\n"
    _, found = result(tmp_path, text, steps=steps, output={"Format": kind})

    assert found.decode() == written


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (
            '{"Id": 1, "id": 2}\n',
            "Dataset d has the keys 'Id' and 'id', which differ in case only.",
        ),
        ('{"": 1}\n', "Dataset d has an empty key, which no column is called."),
    ],
)
def test_json_whose_keys_are_no_columns_is_refused(
    tmp_path: Path, document: str, problem: str
) -> None:
    with pytest.raises(WorkFailed) as caught:
        run(tmp_path, document, kind="JSON")

    assert caught.value.message == problem


@pytest.mark.parametrize(("kind", "value"), [("number", "x"), ("date", "soon")])
def test_a_value_that_is_not_of_the_named_type_is_not_left_out(
    tmp_path: Path, kind: str, value: str
) -> None:
    steps = [step("FILL_WITH_CUSTOM", sourceColumn="n", columnDataType=kind, value=value)]

    with pytest.raises(WorkFailed, match=r"the value '.*' is none of column 'n', a BIGINT"):
        run(tmp_path, "id,n\n1,2\n3,\n", steps=steps)


def test_short_and_blank_lines_are_read_as_spark_does(tmp_path: Path) -> None:
    assert run(tmp_path, "a,b\n1,x\n\n2\n3,z\n") == "a,b\n1,x\n2,\n3,z\n"


def test_json_keeps_digits_and_texts_and_nested_values_are_json_in_csv(tmp_path: Path) -> None:
    lines = '{"id": 12345678901234567890, "day": "2020-01-02", "n": {"x": [1, 2]}, "m": 1}\n'

    text = run(tmp_path, lines + '{"id": 1, "m": "a"}\n', kind="JSON")

    (header, first, second) = csv.reader(io.StringIO(text))
    assert header == ["id", "day", "n", "m"]
    assert first == ["12345678901234567890", "2020-01-02", '{"x":[1,2]}', "1"]
    assert second == ["1", "", "", "a"]


@pytest.mark.parametrize(
    ("cell", "year"),
    [("20200601", "2020"), ("June 1, 2020", "2020"), ("2020", "2020"), ("20182012", "")],
)
def test_dates_that_workshops_use(tmp_path: Path, cell: str, year: str) -> None:
    """Exports of two AWS workshops; the last one is refused in a sample of the Glue transform."""
    steps = [step("YEAR", sourceColumn="d", targetColumn="y")]
    typed = step("CHANGE_DATA_TYPE", sourceColumn="d", columnDataType="date")

    written = list(csv.reader(io.StringIO(run(tmp_path, f'd\n"{cell}"\n', steps=steps))))
    dates = list(csv.reader(io.StringIO(run(tmp_path, f'd,e\n"{cell}",x\n', steps=[typed]))))

    assert written[1] == [cell, year]
    assert dates[1][0][:4] == year


def test_ids_beyond_a_double_are_compared_whole(tmp_path: Path) -> None:
    steps = [step("REMOVE_VALUES", sourceColumn="id")]
    steps[0]["ConditionExpressions"] = [
        {"Condition": "IS", "Value": '["9007199254740993"]', "TargetColumn": "id"}
    ]

    assert run(tmp_path, "id\n9007199254740992\n9007199254740993\n", steps=steps) == (
        "id\n9007199254740992\n"
    )
