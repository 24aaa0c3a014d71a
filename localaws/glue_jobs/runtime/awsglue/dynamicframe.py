"""DynamicFrame: a Spark data frame with a schema that may hold choices, and its error records.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
Signatures and messages are those of the public contract in awslabs/aws-glue-libs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pyspark.sql import DataFrame

from awsglue import choices, columns, joining, nesting, records, schemas
from awsglue import gluetypes as glue
from awsglue.casts import cast
from awsglue.places import Fields, Value, edit, fields_of, names, schema_of
from awsglue.refusal import refuse, warn
from awsglue.spark_types import from_spark, to_spark
from awsglue.unboxing import parser


class ResolveOption:
    """What `toDF` does with a choice: `action` is KeepAsStruct, or Project with a Spark type."""

    def __init__(self, path: str, action: str, target: Any = None) -> None:
        self.path, self.action, self.target = path, action, target


class DynamicFrame:
    """Never changed: each transform gives a new frame, which knows the errors of those before.

    A frame of JSON is `sparse`: to functions of the script a field that is null is not there, as
    its records may lack it (`Filter` drops a record whose function meets a KeyError).

    `stageThreshold` and `totalThreshold` above 0 say how many error records are one too many.
    """

    def __init__(
        self,
        jdf: Any,
        glue_ctx: Any,
        name: str = "",
        *,
        schema: Any = None,
        errors: Sequence[DataFrame] = (),
        stage_errors: Sequence[DataFrame] = (),
        sparse: bool = False,
    ) -> None:
        if not isinstance(jdf, DataFrame):
            refuse("a DynamicFrame of a Java object", "Use DynamicFrame.fromDF.")
        self._df = jdf
        self._schema = from_spark(jdf.schema) if schema is None else schema
        self._earlier, self._stage = tuple(errors), tuple(stage_errors)
        self._sparse = sparse
        self.glue_ctx = glue_ctx
        self.name = name

    # Data frames

    @classmethod
    def fromDF(cls, dataframe: DataFrame, glue_ctx: Any, name: str = "") -> DynamicFrame:
        """Of columns with one name the second gets a dot in front, as `Join` has it."""
        names = list[str]()
        for label in dataframe.columns:
            while label in names:
                warn(f"fromDF: there are several columns {label}; the later one is .{label}")
                label = f".{label}"
            names.append(label)
        renamed = dataframe if names == dataframe.columns else dataframe.toDF(*names)
        return cls(renamed, glue_ctx, name)

    def toDF(self, options: Sequence[ResolveOption] | None = None) -> DataFrame:
        """The data frame; a choice is a struct with a field for each type, or what options say."""
        fields = fields_of(self._schema)
        for option in options or ():
            if option.action == "KeepAsStruct":
                continue
            if option.action != "Project":
                raise ValueError(f"Invalid resolve action {option.action}.")
            if option.target is None:
                raise Exception(f"Missing target type for resolve action {option.action}.")
            action = f"project:{from_spark(option.target).name}"
            fields = choices.resolve(fields, [(option.path, action)], "", None)
        return self._df if not options else self._select(fields)

    # What is in it

    def schema(self) -> Any:
        return self._schema

    def printSchema(self) -> None:
        print(schemas.tree(self._schema))

    def show(self, num_rows: int = 20) -> None:
        for line in records.as_json(self._df, self._schema, self._sparse, num_rows):
            print(line)

    def count(self) -> int:
        return self._df.count()

    def withFrameSchema(self, schema: Any) -> DynamicFrame:
        """The frame with these fields, cast; those that it has not are null."""
        own = dict(fields_of(self._schema))
        fields = [
            (field.name, cast(own[field.name], field.dataType))
            for field in schema.fields
            if field.name in own
        ]
        return self._next(fields)

    with_frame_schema = withFrameSchema

    def getNumPartitions(self) -> int:
        return self._df.rdd.getNumPartitions()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return refuse(f"DynamicFrame.{name}")

    # Fields

    def apply_mapping(
        self,
        mappings: Any,
        case_sensitive: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        fields = columns.apply_mapping(fields_of(self._schema), mappings, case_sensitive)
        return self._next(fields)._within(stageThreshold, totalThreshold)

    applyMapping = apply_mapping

    def select_fields(
        self,
        paths: Any,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        fields = columns.select_fields(fields_of(self._schema), paths)
        return self._next(fields)._within(stageThreshold, totalThreshold)

    def drop_fields(
        self,
        paths: Any,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        fields = columns.drop_fields(fields_of(self._schema), paths)
        return self._next(fields)._within(stageThreshold, totalThreshold)

    def rename_field(
        self,
        oldName: str,
        newName: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        fields = columns.rename_field(fields_of(self._schema), oldName, newName)
        return self._next(fields)._within(stageThreshold, totalThreshold)

    def resolveChoice(
        self,
        specs: Any = None,
        choice: str = "",
        database: str | None = None,
        table_name: str | None = None,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        catalog_id: str | None = None,
    ) -> DynamicFrame:
        catalog = None
        if choice.lower() == "match_catalog":
            if not database or not table_name:
                raise ValueError("match_catalog needs database and table_name.")
            catalog = self.glue_ctx._catalog().types(database, table_name)
        fields = choices.resolve(fields_of(self._schema), specs, choice, catalog)
        return self._next(fields)._within(stageThreshold, totalThreshold)

    resolve_choice = resolveChoice

    def drop_null_fields(self) -> DynamicFrame:
        """DropNullFields has no fluent form on AWS; the class uses this."""
        fields, dropped = columns.drop_null_fields(fields_of(self._schema))
        print("null_fields", dropped)
        return self._next(fields)

    def unnest(
        self,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        fields = columns.unnest(fields_of(self._schema))
        return self._next(fields)._within(stageThreshold, totalThreshold)

    def unbox(
        self,
        path: str,
        format: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        **options: Any,
    ) -> DynamicFrame:
        """The text at the path as the struct that it says; a text that says none is null."""
        parse_text = parser(format, options)
        given = options.get("withSchema")
        known = glue.from_json(json.loads(given)) if given else None

        def unboxed(name: str, value: Value) -> tuple[Fields, Fields]:
            if value.kind.name != "string":
                raise ValueError(f"Unbox: {path} is {value.kind.name}; it must be string.")
            made, kind = records.parsed(self._df, value.column, parse_text, known)
            return [(name, Value(made, kind))], []

        fields = edit(fields_of(self._schema), names(path), unboxed)
        return self._next(fields)._within(stageThreshold, totalThreshold)

    # Records

    def filter(
        self,
        f: Callable[[Any], Any],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        kept, errors = records.filtered(self._df, self._schema, self._sparse, f)
        return self._of(kept, self._schema, [errors])._within(stageThreshold, totalThreshold)

    def map(
        self,
        f: Callable[[Any], Any],
        preservesPartitioning: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        frame, schema, errors = records.mapped(self._df, self._schema, self._sparse, f)
        return self._of(frame, schema, [errors])._within(stageThreshold, totalThreshold)

    def mapPartitions(
        self,
        f: Callable[[Any], Any],
        preservesPartitioning: bool = True,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """`f` takes and gives iterators of {"record", "isError", "errorMessage"}."""
        outcomes = self._df.rdd.mapPartitions(
            partial(records.dictionaries, self._schema, self._sparse, f)
        )
        frame, schema, errors = records.frame_of(self._df.sparkSession, outcomes)
        return self._of(frame, schema, [errors])._within(stageThreshold, totalThreshold)

    # Several frames

    def join(
        self,
        paths1: Any,
        paths2: Any,
        frame2: DynamicFrame,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        frame, schema = joining.join(
            (self._df, self._schema), (frame2._df, frame2._schema),
            columns.as_list(paths1), columns.as_list(paths2),
        )  # fmt: skip
        made = self._of(frame, schema, (), frame2._errors())
        return made._within(stageThreshold, totalThreshold)

    def union(
        self,
        other_frame: DynamicFrame,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        frame, schema = joining.union(
            (self._df, self._schema), (other_frame._df, other_frame._schema)
        )
        made = self._of(frame, schema, (), other_frame._errors())
        return made._within(stageThreshold, totalThreshold)

    def mergeDynamicFrame(
        self,
        stage_dynamic_frame: DynamicFrame,
        primary_keys: Sequence[str],
        transformation_ctx: str = "",
        options: Mapping[str, Any] | None = None,
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """All of the stage, and of this frame what the stage has no record for."""
        stage = stage_dynamic_frame
        keys = columns.as_list(primary_keys)
        rest = joining.without((self._df, self._schema), (stage._df, stage._schema), keys)
        frame, schema = joining.union((stage._df, stage._schema), (rest, self._schema))
        made = self._of(frame, schema, (), stage._errors())
        return made._within(stageThreshold, totalThreshold)

    merge_dynamic_frame = mergeDynamicFrame

    def split_fields(
        self,
        paths: Any,
        name1: str | None = None,
        name2: str | None = None,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrameCollection:
        first, second = columns.split_fields(fields_of(self._schema), paths)
        return self._two(
            self._next(first), self._next(second),
            name1 or f"{self.name or 'frame'}1", name2 or f"{self.name or 'frame'}2",
        )  # fmt: skip

    def split_rows(
        self,
        comparison_dict: Mapping[str, Mapping[str, Any]],
        name1: str = "frame1",
        name2: str = "frame2",
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrameCollection:
        true = joining.comparison(fields_of(self._schema), comparison_dict)
        return self._two(
            self._of(self._df.where(true), self._schema),
            self._of(self._df.where(~true), self._schema), name1, name2,
        )  # fmt: skip

    def relationalize(
        self,
        root_table_name: str,
        staging_path: str | None = None,
        options: Mapping[str, Any] | None = None,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrameCollection:
        """Nothing is staged here: `staging_path` is not written to."""
        found = nesting.relationalize(self._df, self._schema, root_table_name)
        frames = {name: self._of(df, schema) for name, (df, schema) in found.items()}
        for name, frame in frames.items():
            frame.name = name
        return DynamicFrameCollection(frames, self.glue_ctx)

    # Partitions, samples, targets

    def repartition(
        self,
        num_partitions: int,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        return self._of(self._df.repartition(num_partitions), self._schema)

    def coalesce(
        self,
        num_partitions: int,
        shuffle: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        made = self._df.repartition if shuffle else self._df.coalesce
        return self._of(made(num_partitions), self._schema)

    def spigot(
        self,
        path: str,
        options: Mapping[str, Any] | None = None,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Writes a sample as JSON: the first `topk` records, each with probability `prob`."""
        given = {"topk": 100, "prob": 1, **(options or {})}
        rows = self._df if float(given["prob"]) >= 1 else self._df.sample(float(given["prob"]))
        sample = self._of(rows, self._schema)._first(int(given["topk"]))
        self.glue_ctx.write_dynamic_frame_from_options(
            sample, "s3", {"path": path}, "json", {}, transformation_ctx
        )
        return self

    def _first(self, number: int) -> DynamicFrame:
        return self._of(self._df.limit(number), self._schema)

    def write(
        self,
        connection_type: str,
        connection_options: Mapping[str, Any] | None = None,
        format: str | None = None,
        format_options: Mapping[str, Any] | None = None,
        accumulator_size: int = 0,
    ) -> Any:
        return self.glue_ctx.write_dynamic_frame_from_options(
            self, connection_type, connection_options or {}, format, format_options or {}
        )

    # Errors

    def errorsCount(self) -> int:
        return sum(frame.count() for frame in self._errors())

    def stageErrorsCount(self) -> int:
        return sum(frame.count() for frame in self._stage)

    def errorsAsDynamicFrame(self) -> DynamicFrame:
        """A record for each error: its message, Python's traceback and the input as JSON."""
        whole = self._df.sparkSession.createDataFrame([], to_spark(records.ERROR))
        for frame in self._errors():
            whole = whole.union(frame)
        return DynamicFrame(whole, self.glue_ctx, f"{self.name}_errors")

    def assertErrorThreshold(self) -> None:
        self._within(1, 1)

    def _errors(self) -> tuple[DataFrame, ...]:
        return self._earlier + self._stage

    def _within(self, stage: int, total: int) -> DynamicFrame:
        """Itself. Raises if there are as many error records as a threshold above 0."""
        for what, limit, count in (
            ("stage", stage, self.stageErrorsCount), ("total", total, self.errorsCount)
        ):  # fmt: skip
            if limit and (found := count()) >= limit:
                raise Exception(f"The {what} error threshold is {limit}; {found} records failed.")
        return self

    # New frames

    def _select(self, fields: Fields) -> DataFrame:
        return self._df.select(*(value.column.alias(name) for name, value in fields))

    def _next(self, fields: Fields) -> DynamicFrame:
        return self._of(self._select(fields), schema_of(fields))

    def _of(
        self,
        df: DataFrame,
        schema: Any,
        stage: Sequence[DataFrame] = (),
        others: Sequence[DataFrame] = (),
    ) -> DynamicFrame:
        return DynamicFrame(
            df, self.glue_ctx, self.name, schema=schema,
            errors=(*self._errors(), *others), stage_errors=stage,
        )  # fmt: skip

    def _two(
        self, first: DynamicFrame, second: DynamicFrame, name1: str, name2: str
    ) -> DynamicFrameCollection:
        first.name, second.name = name1, name2
        return DynamicFrameCollection({name1: first, name2: second}, self.glue_ctx)


class DynamicFrameCollection:
    """Frames by name, in order."""

    def __init__(self, dynamic_frames: Any, glue_ctx: Any) -> None:
        if isinstance(dynamic_frames, list):
            dynamic_frames = {frame.name: frame for frame in dynamic_frames}
        elif not isinstance(dynamic_frames, dict):
            raise TypeError("dynamic_frames must be list or dict.")
        self._frames: dict[str, DynamicFrame] = dynamic_frames
        self._glue_ctx = glue_ctx

    def keys(self) -> Any:
        return self._frames.keys()

    def values(self) -> Any:
        return self._frames.values()

    def items(self) -> Any:
        return self._frames.items()

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, key: str) -> DynamicFrame:
        return self._frames[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def select(self, key: str, transformation_ctx: str = "") -> DynamicFrame:
        """The frame of this name; one without fields and records where there is none."""
        if key in self._frames:
            return self._frames[key]
        empty = self._glue_ctx.spark_session.createDataFrame([], "struct<>")
        return DynamicFrame(empty, self._glue_ctx, key)

    def map(
        self, callable: Callable[[DynamicFrame, str], DynamicFrame], transformation_ctx: str = ""
    ) -> DynamicFrameCollection:
        made = {}
        for key, frame in self._frames.items():
            made[key] = callable(frame, f"{transformation_ctx}:{key}")
            if not isinstance(made[key], DynamicFrame):
                raise TypeError(
                    f"The function must give a DynamicFrame; it gave {type(made[key])}."
                )
        return DynamicFrameCollection(made, self._glue_ctx)

    def flatmap(self, f: Callable[[DynamicFrame, str], Any], transformation_ctx: str = "") -> Any:
        """`f` gives a frame or a collection for each; all of them, by name."""
        found: dict[str, DynamicFrame] = {}
        for key, frame in self._frames.items():
            made = f(frame, f"{transformation_ctx}:{key}")
            if isinstance(made, DynamicFrame):
                found[made.name or key] = made
            else:
                found.update(made.items())
        return DynamicFrameCollection(found, self._glue_ctx)


def DynamicFrameReader(glue_context: Any) -> Any:
    """What `create_dynamic_frame` of the context is."""
    return glue_context.create_dynamic_frame


def DynamicFrameWriter(glue_context: Any) -> Any:
    """What `write_dynamic_frame` of the context is."""
    return glue_context.write_dynamic_frame
