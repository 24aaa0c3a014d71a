"""DynamicFrames, transform by transform, with the real Spark: one start of it for all cases.

What a case expects is what AWS prints in its samples (github.com/aws-samples/aws-glue-samples,
`examples/*.md`), says in the developer guide, or has in the public layer of awslabs/aws-glue-libs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localaws.shapes import Json

Rows = list[Json]
Frame = Any


@pytest.fixture
def read(context: Any, lake: Path, request: pytest.FixtureRequest) -> Callable[..., Frame]:
    """A frame of texts that lie in the bucket, in a folder of this test's own."""
    number = 0

    def frame(*texts: str, format: str = "json", options: Json | None = None) -> Frame:
        nonlocal number
        number += 1
        folder = f"{request.node.name.split('[')[0]}/{number}"
        (lake / folder).mkdir(parents=True)
        for index, text in enumerate(texts):
            (lake / folder / f"{index}.{format}").write_text(text)
        return context.create_dynamic_frame.from_options(
            connection_type="s3",
            connection_options={"paths": [f"s3://lake/{folder}/"]},
            format=format,
            format_options=options or {},
        )

    return frame


def of(*rows: Json) -> str:
    return "\n".join(json.dumps(row) for row in rows)


def rows(frame: Frame) -> Rows:
    return [row.asDict(recursive=True) for row in frame.toDF().collect()]


def tree(frame: Frame) -> list[str]:
    from awsglue.schemas import tree

    return tree(frame.schema()).splitlines()[1:]


PROVIDERS = of({"id": 1, "p": 10}, {"id": 2, "p": "10a"}, {"id": 3, "p": 30})

# AWS's sample of ResolveChoice, resolve_choice.md: schema and values for each action.
RESOLVED = [
    ("cast:long", ["|-- id: int", "|-- p: long"], [{"p": 10}, {"p": None}, {"p": 30}]),
    ("project:int", ["|-- id: int", "|-- p: int"], [{"p": 10}, {"p": None}, {"p": 30}]),
    ("project:string", ["|-- id: int", "|-- p: string"], [{"p": None}, {"p": "10a"}, {"p": None}]),
    (
        "make_cols",
        ["|-- id: int", "|-- p_int: int", "|-- p_string: string"],
        [
            {"p_int": 10, "p_string": None},
            {"p_int": None, "p_string": "10a"},
            {"p_int": 30, "p_string": None},
        ],
    ),
    (
        "make_struct",
        ["|-- id: int", "|-- p: struct", "|    |-- int: int", "|    |-- string: string"],
        [
            {"p": {"int": 10, "string": None}},
            {"p": {"int": None, "string": "10a"}},
            {"p": {"int": 30, "string": None}},
        ],
    ),
]


def test_a_choice_arises_where_types_differ_and_each_action_resolves_it(read: Any) -> None:
    frame = read(PROVIDERS)

    assert tree(frame) == ["|-- id: int", "|-- p: choice", "|    |-- int", "|    |-- string"]
    for action, schema, values in RESOLVED:
        resolved = frame.resolveChoice(specs=[("p", action)])
        assert tree(resolved) == schema, action
        found = [{k: v for k, v in row.items() if k != "id"} for row in rows(resolved)]
        assert found == values, action
    assert tree(frame.resolveChoice(choice="make_cols")) == RESOLVED[3][1]
    with pytest.raises(Exception, match="both missing, add one"):
        frame.resolveChoice()
    with pytest.raises(Exception, match="both specified, choose one"):
        frame.resolveChoice(specs=[("p", "make_cols")], choice="make_cols")


def test_types_are_merged_field_by_field_and_numbers_are_not_widened(read: Any) -> None:
    frame = read(
        of({"n": {"x": 1}, "a": [1, 2], "b": None, "i": 1}),
        of({"n": {"x": 2, "y": 3}, "a": [], "b": 5, "i": 4_000_000_000, "z": None}),
    )

    assert tree(frame) == [
        "|-- n: struct", "|    |-- x: int", "|    |-- y: int",
        "|-- a: array", "|    |-- element: int",
        "|-- b: int", "|-- i: choice", "|    |-- int", "|    |-- long", "|-- z: null",
    ]  # fmt: skip
    assert frame.count() == 2


def test_apply_mapping_keeps_casts_and_nests_what_is_mapped(
    read: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    frame = read(of({"id": 7, "n": {"x": "5"}, "s": "abc", "t": "2024-01-02 03:04:05", "f": 1.5}))
    mapped = frame.apply_mapping(
        [
            ("ID", "int", "key", "bigint"),  # found without case
            ("n.x", "string", "out.x", "int"),
            ("s", "string", "out.s", "int"),  # no number: null
            ("t", "string", "t", "timestamp"),
            ("f", "double", "f", "decimal(4,2)"),
            ("s", "long", "wrong", "long"),  # not the type that it has: null, and a warning
            ("none", "string", "none", "string"),  # no such field
        ]
    )

    assert tree(mapped) == [
        "|-- key: long", "|-- out: struct", "|    |-- x: int", "|    |-- s: int",
        "|-- t: timestamp", "|-- f: decimal", "|-- wrong: long",
    ]  # fmt: skip
    (row,) = rows(mapped)
    assert (row["key"], row["out"], str(row["t"]), str(row["f"]), row["wrong"]) == (
        7, {"x": 5, "s": None}, "2024-01-02 03:04:05", "1.50", None,
    )  # fmt: skip
    warned = capfd.readouterr().err
    assert "s is string, not long as the mapping says" in warned
    assert "there is no field none" in warned
    assert rows(frame.apply_mapping([("id", "key"), ("id", "k", "string")])) == [
        {"key": 7, "k": "7"}
    ]
    with pytest.raises(TypeError):
        frame.apply_mapping(["id"])


def test_fields_are_selected_dropped_renamed_and_split(read: Any) -> None:
    frame = read(of({"a": 1, "b.c": 2, "n": {"x": 1, "y": 2}, "e": [{"p": 1, "q": 2}]}))

    assert tree(frame.select_fields(["a", "`b.c`", "unknown"])) == ["|-- a: int", "|-- b.c: int"]
    assert rows(frame.drop_fields(["n.x", "e.q", "`b.c`"])) == [
        {"a": 1, "n": {"y": 2}, "e": [{"p": 1}]}
    ]
    assert rows(frame.drop_fields([])) == rows(frame), "Glue Studio writes an empty list"
    renamed = frame.rename_field("n.x", "n.z").rename_field("a", "b").select_fields(["n", "b"])
    assert rows(renamed) == [{"b": 1, "n": {"z": 1, "y": 2}}]
    halves = frame.split_fields(["a", "n.x"], "one", "two")
    assert rows(halves["one"]) == [{"a": 1, "n": {"x": 1}}]
    assert tree(halves["two"])[:2] == ["|-- b.c: int", "|-- n: struct"]
    assert list(frame.unnest().toDF().columns) == [
        "a", "b.c", "n.x", "n.y", "e.val.p", "e.val.q",
    ]  # fmt: skip


def test_drop_null_fields_drops_fields_that_only_are_null(
    read: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from awsglue.transforms import DropNullFields

    frame = read(of({"a": None, "b": "", "n": {"x": None, "y": 1}}))

    assert rows(DropNullFields.apply(frame=frame)) == [{"b": "", "n": {"y": 1}}]
    assert capsys.readouterr().out == "null_fields ['a', 'n.x']\n"


def test_a_join_keeps_both_keys_and_marks_a_clash_with_a_dot(read: Any) -> None:
    from awsglue.transforms import Join

    left = read(of({"id": 1, "v": "a"}, {"id": 2, "v": "b"}, {"v": "c"}))
    right = read(of({"id": 1, "w": "x"}, {"id": 1, "w": "y"}, {"w": "z"}))
    joined = Join.apply(left, right, ["id"], ["id"])

    assert joined.toDF().columns == ["id", "v", ".id", "w"]
    assert sorted(row["w"] for row in rows(joined.drop_fields(["`.id`"]))) == ["x", "y"]


def test_functions_see_records_and_what_goes_wrong_is_counted(read: Any) -> None:
    from awsglue.transforms import DropNullFields, Filter, Map

    frame = read(of({"id": 1, "n": {"x": 5}}, {"id": 2}, {"id": 3, "n": {"x": 3_000_000_000}}))
    # A KeyError of the function drops the record; the second has no n.
    assert [row["id"] for row in rows(Filter.apply(frame=frame, f=lambda r: r["n"]["x"] > 0))] == [
        1, 3,
    ]  # fmt: skip
    present = Filter.apply(frame=frame, f=lambda r: r["n"] != 0)
    assert present.count() == 2, "a field that a JSON record lacks is not a null"
    failing = Filter.apply(frame=frame, f=lambda r: 1 / (r["id"] - 1) > 0)
    assert (failing.count(), failing.errorsCount(), failing.stageErrorsCount()) == (2, 1, 1)

    def changed(record: Any) -> Any:
        if record["id"] == 3:
            raise RuntimeError("three")
        record["name"] = f"r{record.id}"
        return record

    mapped = Map.apply(frame=frame, f=changed)
    assert [(row["id"], row["name"]) for row in rows(mapped)] == [(1, "r1"), (2, "r2")]
    (error,) = rows(mapped.errorsAsDynamicFrame())
    assert error["error"]["msg"] == "three"
    assert json.loads(error["error"]["input"])["id"] == 3
    assert mapped.select_fields(["id"]).errorsCount() == 1, "errors go on to later frames"
    with pytest.raises(Exception, match="error threshold is 1; 1 records failed"):
        Map.apply(frame=frame, f=changed, stageThreshold=1)
    with pytest.raises(Exception, match="error threshold is 1; 1 records failed"):
        DropNullFields.apply(frame=mapped, totalThreshold=1)


def test_relationalize_makes_flat_frames_that_refer_to_one_another(read: Any) -> None:
    frame = read(
        of(
            {"id": "a", "n": {"k": 1}, "c": [{"t": "fax", "v": [1, 2]}, {"t": "tel"}], "s": ["x"]},
            {"id": "b", "c": []},
        )
    )
    found = frame.relationalize("hist_root", "s3://lake/staging/")

    # As join_and_relationalize.md has hist_root_contact_details and contact_details.val.type
    assert list(found.keys()) == ["hist_root", "hist_root_c", "hist_root_c.val.v", "hist_root_s"]
    root = {row["id"]: row for row in rows(found.select("hist_root"))}
    assert (root["a"]["n.k"], root["b"]["s"]) == (1, None)
    contacts = rows(found["hist_root_c"])
    assert [(row["id"], row["index"], row["c.val.t"]) for row in contacts] == [
        (root["a"]["c"], 0, "fax"),
        (root["a"]["c"], 1, "tel"),
    ]
    assert tree(found["hist_root_c"])[:2] == ["|-- id: long", "|-- index: int"]
    values = rows(found["hist_root_c.val.v"])
    assert [(row["id"], row["c.val.v.val"]) for row in values] == [
        (contacts[0]["c.val.v"], 1),
        (contacts[0]["c.val.v"], 2),
    ]
    assert found.select("unknown").toDF().columns == []


def test_frames_are_split_merged_and_kept_in_collections(read: Any, context: Any) -> None:
    from awsglue.dynamicframe import DynamicFrameCollection
    from awsglue.transforms import ApplyMapping, FlatMap, SelectFromCollection, SplitRows, Unbox

    frame = read(of({"id": 1, "age": 5}, {"id": 2, "age": 15}, {"id": 3}))
    halves = SplitRows.apply(frame, {"age": {">": 10, "<": 20}}, "young", "rest")
    assert [[row["id"] for row in rows(halves[name])] for name in ("young", "rest")] == [
        [2],
        [1, 3],
    ]
    stage = read(of({"id": 2, "age": "new"}, {"id": 4}))
    merged = frame.mergeDynamicFrame(stage, ["id"])
    assert sorted(row["id"] for row in rows(merged)) == [1, 2, 3, 4]
    assert "|-- age: choice" in tree(merged)
    both = DynamicFrameCollection({"a": frame, "b": stage}, context)
    mapped = FlatMap.apply(both, ApplyMapping, "frame", mappings=[("id", "int", "key", "int")])
    assert [mapped[name].toDF().columns for name in mapped] == [["key"], ["key"]]
    assert SelectFromCollection.apply(dfc=both, key="b").count() == 2
    boxed = Unbox.apply(frame=read(of({"s": '{"a": 1}'}, {"s": "no"})), path="s", format="json")
    assert rows(boxed) == [{"s": {"a": 1}}, {"s": None}]


CSVS = [
    # why, texts, options, records
    ("every column is a text, an empty cell an empty text; each file has its own header",
     ["a,b\n1,\n", "b,a\nx,\"y,\"\"z\"\"\"\n"], {"withHeader": True},
     [{"a": "1", "b": ""}, {"a": 'y,"z"', "b": "x"}]),
    ("without a header columns are col0, col1", ["1|2\n"], {"separator": "|"},
     [{"col0": "1", "col1": "2"}]),
    ("quoting may be off", ['"1",2\n'], {"quoteChar": -1}, [{"col0": '"1"', "col1": "2"}]),
    ("the first line may be skipped", ["x,y\n1,2\n"], {"skipFirst": True},
     [{"col0": "1", "col1": "2"}]),
    ("a record may have several lines", ['a\n"1\n2"\n'], {"withHeader": True, "multiLine": True},
     [{"a": "1\n2"}]),
]  # fmt: skip


def test_csv_is_read_as_its_options_say(read: Any) -> None:
    for why, texts, options, expected in CSVS:
        found = rows(read(*texts, format="csv", options=options))
        assert sorted(found, key=str) == sorted(expected, key=str), why


def test_json_is_read_by_line_over_lines_and_by_path(read: Any) -> None:
    pretty = json.dumps({"a": 1, "b": {"c": [1]}}, indent=1)
    assert rows(read(pretty)) == [{"a": 1, "b": {"c": [1]}}]
    assert rows(read("[{\"a\": 1}, {\"a\": 2}]", options={"jsonPath": "$[*]"})) == [
        {"a": 1}, {"a": 2},
    ]  # fmt: skip
    nested = read('{"items": [{"a": 1}, {"a": 2}]}', options={"jsonPath": "$.items[*]"})
    assert [row["a"] for row in rows(nested)] == [1, 2]
    broken = read('{"a": 1}\nnot json\n{"a": 2}\n')
    assert (broken.count(), broken.errorsCount()) == (2, 1)


WRITTEN = [
    ("json", {}, {"compression": "snappy"}, ["run-x-1-part-r-00000.snappy"]),
    ("csv", {}, {"compression": "gzip"}, ["run-x-1-part-r-00000.gz"]),
    ("avro", {"version": "1.8"}, {}, ["run-x-1-part-r-00000"]),
    ("glueparquet", {"compression": "snappy"}, {},
     ["run-x-1-part-block-0-r-00000-snappy.parquet"]),
    ("orc", {}, {}, None),
]  # fmt: skip


def test_what_is_written_is_read_again_and_nothing_is_replaced(
    read: Any, context: Any, lake: Path
) -> None:
    frame = read(of({"id": 1, "s": 'a,"b"', "d": 1.5}, {"id": 2, "s": "", "d": None})).coalesce(1)
    for format_, options, connection, names in WRITTEN:
        path = f"out/{format_}"
        for _ in range(2):
            context.write_dynamic_frame.from_options(
                frame=frame, connection_type="s3", format=format_, format_options=options,
                connection_options={"path": f"s3://lake/{path}/", **connection},
                transformation_ctx="x",
            )  # fmt: skip
        found = sorted(file.name for file in (lake / path).iterdir())
        assert len(found) == 2, format_
        if names:
            assert found[:1] == names
        header = {"withHeader": True} if format_ == "csv" else {}
        again = context.create_dynamic_frame.from_options(
            "s3", {"paths": [f"s3://lake/{path}/"]}, format_, {**options, **header}
            if format_ != "glueparquet" else {},
        )  # fmt: skip
        texts = format_ == "csv"
        expected = [
            {"id": "1", "s": 'a,"b"', "d": "1.5"} if texts else {"id": 1, "s": 'a,"b"', "d": 1.5},
            {"id": "2", "s": "", "d": ""} if texts else {"id": 2, "s": "", "d": None},
        ] * 2
        assert sorted(rows(again), key=str) == sorted(expected, key=str), format_


def test_a_frame_without_records_goes_through_a_script_and_writes_nothing(
    read: Any, context: Any, lake: Path
) -> None:
    """As with bookmarks, where nothing is new."""
    from awsglue.transforms import ApplyMapping, Filter, Join, Map, SelectFields

    frame, empty = read(of({"id": 1, "y": 1})), read("")
    assert (empty.count(), tree(empty)) == (0, [])
    mapped = ApplyMapping.apply(empty, [("id", "int", "id", "int")])
    for none in (
        Join.apply(mapped, frame, ["id"], ["id"]),
        Join.apply(frame, empty, ["id"], ["id"]),
        Filter.apply(empty, lambda record: record["id"] > 0),
        Map.apply(empty, lambda record: record),
        SelectFields.apply(empty, ["id"]),
    ):
        assert none.count() == 0
    for format_ in ("json", "glueparquet", "parquet"):
        options = {"path": f"s3://lake/none/{format_}/", "partitionKeys": ["y"]}
        context.write_dynamic_frame.from_options(empty, "s3", options, format_)
    assert not [file for file in (lake / "none").rglob("*") if file.is_file()]


def test_partitions_are_folders_and_their_columns_leave_the_files(
    read: Any, context: Any, lake: Path
) -> None:
    frame = read(of({"y": 2023, "v": 1}, {"y": 2024, "v": 2}, {"y": 2024, "v": 3})).coalesce(1)
    sink = context.getSink(
        connection_type="s3", path="s3://lake/parted/", partitionKeys=["y"], transformation_ctx="p"
    )
    sink.setFormat("json")
    sink.writeFrame(frame)

    files = {f.relative_to(lake / "parted").as_posix() for f in (lake / "parted").rglob("*-r-*")}
    assert files == {"y=2023/run-p-1-part-r-00000", "y=2024/run-p-1-part-r-00000"}
    assert (lake / "parted/y=2023/run-p-1-part-r-00000").read_text() == '{"v":1}\n'
    options = {"paths": ["s3://lake/parted/"], "recurse": True, "exclusions": '["**2023/**"]'}
    some = context.create_dynamic_frame.from_options("s3", options, "json")
    assert sorted(row["v"] for row in rows(some)) == [2, 3]
    assert some.name == "lakeparted"  # as awslabs/aws-glue-libs calls it


def test_elements_of_xml_are_records(read: Any) -> None:
    text = "<c><b id='1'><n>1</n></b><b id='2'><n>x</n><m><k>1</k></m></b></c>"
    frame = read(text, format="xml", options={"rowTag": "b"})
    assert tree(frame) == [
        "|-- _id: int", "|-- n: choice", "|    |-- int", "|    |-- string",
        "|-- m: struct", "|    |-- k: int",
    ]  # fmt: skip
    texts = frame.resolveChoice(specs=[("n", "cast:string")]).toDF().orderBy("_id")
    assert [row["n"] for row in texts.collect()] == ["1", "x"]
    with pytest.raises(ValueError, match="rowTag"):
        read(text, format="xml")


REFUSED: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("the format ion of an S3 source", lambda c, f: c.create_dynamic_frame.from_options(
        "s3", {"paths": ["s3://lake/refused/"]}, "ion")),
    ("the connection type kafka", lambda c, f: c.create_dynamic_frame.from_options("kafka", {})),
    ("x in connection_options of dynamodb", lambda c, f: c.create_dynamic_frame.from_options(
        "dynamodb", {"dynamodb.input.tableName": "t", "x": 1})),
    ("fancy in connection_options of an S3 source", lambda c, f: c.create_dynamic_frame
     .from_options("s3", {"paths": ["s3://lake/refused/"], "fancy": 1}, "json")),
    ("the format hudi of an S3 target", lambda c, f: c.write_dynamic_frame.from_options(
        f, "s3", {"path": "s3://lake/x/"}, "hudi")),
    ("a JSON file that is one array", lambda c, f: c.create_dynamic_frame.from_options(
        "s3", {"paths": ["s3://lake/refused/array.json"]}, "json")),
    ("DynamicFrame.simplify_ddb_json", lambda c, f: f.simplify_ddb_json()),
    ("GlueContext.transition_table", lambda c, f: c.transition_table("d", "t", "GLACIER")),
    ("manifestFilePath of a purge", lambda c, f: c.purge_s3_path(
        "s3://lake/refused/", {"manifestFilePath": "s3://lake/m"})),
    ("jdbc:oracle:thin:@ without its driver", lambda c, f: c.write_dynamic_frame.from_options(
        f, "oracle", {"url": "jdbc:oracle:thin:@//h:1/s", "dbtable": "t"})),
]  # fmt: skip


def test_what_is_not_there_is_refused_by_name(read: Any, context: Any, lake: Path) -> None:
    from awsglue.refusal import NotEmulated
    from awsglueml.transforms import FillMissingValues

    frame = read(of({"a": 1}))
    (lake / "refused").mkdir()
    (lake / "refused/array.json").write_text("[1]")
    for name, use in REFUSED:
        with pytest.raises(NotEmulated) as refusal:
            use(context, frame)
        assert f"localaws does not emulate {name}" in str(refusal.value)
    with pytest.raises(NotEmulated, match="FillMissingValues"):
        FillMissingValues.apply(frame, "a")
    with pytest.raises(FileNotFoundError, match="Path does not exist: s3://lake/nowhere/"):
        context.create_dynamic_frame.from_options("s3", {"paths": ["s3://lake/nowhere/"]}, "json")


def test_a_database_is_read_written_and_read_on_by_its_key(
    read: Any, context: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Derby comes with Spark; databases by URL, user and password as on AWS."""
    from awsglue.bookmarks import BOOKMARK, COMMITTED, ENABLED, GIVEN, VARIABLE

    options = {"url": f"jdbc:derby:{tmp_path / 'base'};create=true", "dbtable": "people"}
    keyed = {**options, "jobBookmarkKeys": ["id"], "jobBookmarkKeysSortOrder": "asc"}
    monkeypatch.setenv(VARIABLE, str(tmp_path))

    def new() -> list[int]:
        BOOKMARK.begin(ENABLED)
        frame = context.create_dynamic_frame.from_options("jdbc", keyed, transformation_ctx="p")
        found = sorted(row["id"] for row in rows(frame))
        BOOKMARK.commit()
        (tmp_path / COMMITTED).replace(tmp_path / GIVEN)
        return found

    try:
        for batch, expected in (([1, 2], [1, 2]), ([3], [3]), ([], [])):
            if batch:
                frame = read(of(*({"id": number, "name": f"n{number}"} for number in batch)))
                context.write_dynamic_frame.from_options(frame, "jdbc", options)
            assert new() == expected
    finally:
        BOOKMARK.begin("")
    spelled = {"url": options["url"], "dbTable": "people"}  # as Spark's options, in any case
    whole = context.create_dynamic_frame.from_options("jdbc", spelled)
    assert tree(whole) == ["|-- id: int", "|-- name: string"]
    query = {**options, "sampleQuery": 'select "name" from people where "id" > 2'}
    assert rows(context.create_dynamic_frame.from_options("jdbc", query)) == [{"name": "n3"}]


def test_parquet_is_a_connection_and_takes_format_options_that_change_nothing(
    context: Any, read: Callable[..., Frame]
) -> None:
    """Glue Studio writes `{"multiline": False}` for Parquet too; awslabs/aws-glue-libs hands no
    format_options to Spark's reader of it."""
    place = {"path": "s3://lake/columnar/"}
    context.write_dynamic_frame.from_options(read(of({"a": 1})), "parquet", place)
    found = context.create_dynamic_frame.from_options("parquet", {"paths": [place["path"]]})
    assert rows(found) == [{"a": 1}]
    found = context.create_dynamic_frame.from_options(
        format_options={"multiline": False},
        connection_type="s3",
        format="parquet",
        connection_options={"paths": [place["path"]], "recurse": True},
    )
    assert rows(found) == [{"a": 1}]


def test_a_sample_is_the_first_records_of_a_source(context: Any, lake: Path) -> None:
    """And bookmark keys, which are of databases, change nothing of S3."""
    from awsglue.context import DynamicFrame

    (lake / "sampled").mkdir()
    (lake / "sampled/a.json").write_text(of({"a": 1}, {"a": "x"}, {"a": 3}))
    found = context.create_sample_dynamic_frame_from_options(
        connection_type="s3",
        connection_options={"paths": ["s3://lake/sampled/"], "jobBookmarkKeys": ["a"]},
        num=2,
        format="json",
    )
    assert isinstance(found, DynamicFrame)
    assert rows(found) == [{"a": {"int": 1, "string": None}}, {"a": {"int": None, "string": "x"}}]
