"""The built-in transforms as classes: `ApplyMapping.apply(frame=..., mappings=...)`.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms.html. Each does
what the frame's own method does; `tail` are transformation_ctx, info, stageThreshold and
totalThreshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection
from awsglue.refusal import Refused

__all__ = [
    "ApplyMapping", "Coalesce", "DropFields", "DropNullFields", "ErrorsAsDynamicFrame",
"FillMissingValues", "Filter", "FindIncrementalMatches", "FindMatches",
    "FlatMap", "GlueTransform", "Join", "Map", "MapToCollection", "Relationalize", "RenameField",
    "Repartition", "ResolveChoice", "SelectFields", "SelectFromCollection", "Spigot",
    "SplitFields", "SplitRows", "Unbox", "Union", "UnnestFrame",
]  # fmt: skip

# Machine learning of AWS's own; importable, since scripts import them unused.
FillMissingValues = Refused("awsglueml.transforms.FillMissingValues")
FindIncrementalMatches = Refused("awsglueml.transforms.FindIncrementalMatches")
FindMatches = Refused("awsglueml.transforms.FindMatches")


class GlueTransform:
    """What all transforms are; `apply` is a call of a new one."""

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        return cls()(*args, **kwargs)

    @classmethod
    def name(cls) -> str:
        return cls.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{self.name()} has no __call__.")


class ApplyMapping(GlueTransform):
    def __call__(
        self, frame: DynamicFrame, mappings: Any, case_sensitive: bool = False, *tail: Any, **k: Any
    ) -> DynamicFrame:
        return frame.apply_mapping(mappings, case_sensitive, *tail, **k)


class SelectFields(GlueTransform):
    def __call__(self, frame: DynamicFrame, paths: Any, *tail: Any, **k: Any) -> DynamicFrame:
        return frame.select_fields(paths, *tail, **k)


class DropFields(GlueTransform):
    def __call__(self, frame: DynamicFrame, paths: Any, *tail: Any, **k: Any) -> DynamicFrame:
        return frame.drop_fields(paths, *tail, **k)


class RenameField(GlueTransform):
    def __call__(
        self, frame: DynamicFrame, old_name: str, new_name: str, *tail: Any, **k: Any
    ) -> DynamicFrame:
        return frame.rename_field(old_name, new_name, *tail, **k)


class ResolveChoice(GlueTransform):
    def __call__(
        self,
        frame: DynamicFrame,
        specs: Any = None,
        choice: str = "",
        database: str | None = None,
        table_name: str | None = None,
        *tail: Any,
        **k: Any,
    ) -> DynamicFrame:
        return frame.resolveChoice(specs, choice, database, table_name, *tail, **k)


class DropNullFields(GlueTransform):
    def __call__(
        self,
        frame: DynamicFrame,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        return frame.drop_null_fields()._within(stageThreshold, totalThreshold)


class Join(GlueTransform):
    def __call__(
        self,
        frame1: DynamicFrame,
        frame2: DynamicFrame,
        keys1: Any,
        keys2: Any,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        return frame1.join(keys1, keys2, frame2, transformation_ctx)


class Filter(GlueTransform):
    def __call__(
        self, frame: DynamicFrame, f: Callable[[Any], Any], *tail: Any, **k: Any
    ) -> DynamicFrame:
        return frame.filter(f, *tail, **k)


class Map(GlueTransform):
    def __call__(
        self,
        frame: DynamicFrame,
        f: Callable[[Any], Any],
        preservesPartitioning: bool = False,
        *tail: Any,
        **k: Any,
    ) -> DynamicFrame:
        return frame.map(f, preservesPartitioning, *tail, **k)


class Union(GlueTransform):
    def __call__(
        self, frame1: DynamicFrame, frame2: DynamicFrame, *tail: Any, **k: Any
    ) -> DynamicFrame:
        return frame1.union(frame2, *tail, **k)


class SplitFields(GlueTransform):
    def __call__(
        self,
        frame: DynamicFrame,
        paths: Any,
        name1: str | None = None,
        name2: str | None = None,
        *tail: Any,
        **k: Any,
    ) -> DynamicFrameCollection:
        return frame.split_fields(paths, name1, name2, *tail, **k)


class SplitRows(GlueTransform):
    def __call__(
        self,
        frame: DynamicFrame,
        comparison_dict: Mapping[str, Mapping[str, Any]],
        name1: str = "frame1",
        name2: str = "frame2",
        *tail: Any,
        **k: Any,
    ) -> DynamicFrameCollection:
        return frame.split_rows(comparison_dict, name1, name2, *tail, **k)


class Relationalize(GlueTransform):
    def __call__(
        self,
        frame: DynamicFrame,
        staging_path: str | None = None,
        name: str = "roottable",
        options: Mapping[str, Any] | None = None,
        *tail: Any,
        **k: Any,
    ) -> DynamicFrameCollection:
        """On AWS the job's TempDir stands in for `staging_path`; here nothing is staged."""
        return frame.relationalize(name, staging_path, options, *tail, **k)


class UnnestFrame(GlueTransform):
    def __call__(self, frame: DynamicFrame, *tail: Any, **k: Any) -> DynamicFrame:
        return frame.unnest(*tail, **k)


class Unbox(GlueTransform):
    def __call__(
        self, frame: DynamicFrame, path: str, format: str, *tail: Any, **options: Any
    ) -> DynamicFrame:
        return frame.unbox(path, format, *tail, **options)


class Spigot(GlueTransform):
    def __call__(
        self,
        frame: DynamicFrame,
        path: str,
        options: Mapping[str, Any] | None = None,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        return frame.spigot(path, options, transformation_ctx)


class Coalesce(GlueTransform):
    def __call__(
        self, frame: DynamicFrame, num_partitions: int, shuffle: bool = False, *tail: Any, **k: Any
    ) -> DynamicFrame:
        return frame.coalesce(num_partitions, shuffle, *tail, **k)


class Repartition(GlueTransform):
    def __call__(
        self, frame: DynamicFrame, num_partitions: int, *tail: Any, **k: Any
    ) -> DynamicFrame:
        return frame.repartition(num_partitions, *tail, **k)


class SelectFromCollection(GlueTransform):
    def __call__(
        self, dfc: DynamicFrameCollection, key: str, transformation_ctx: str = ""
    ) -> DynamicFrame:
        return dfc.select(key, transformation_ctx)


class MapToCollection(GlueTransform):
    def __call__(
        self, dfc: DynamicFrameCollection, callable: Any, transformation_ctx: str = ""
    ) -> DynamicFrameCollection:
        return dfc.map(callable, transformation_ctx)


class FlatMap(GlueTransform):
    def __call__(
        self,
        dfc: DynamicFrameCollection,
        BaseTransform: Any,
        frame_name: str,
        transformation_ctx: str = "",
        **base_kwargs: Any,
    ) -> DynamicFrameCollection:
        """The transform applied to each frame, which it takes as the argument `frame_name`."""

        def one(frame: DynamicFrame, context: str) -> Any:
            return BaseTransform.apply(
                **{**base_kwargs, frame_name: frame, "transformation_ctx": context}
            )

        return dfc.flatmap(one, transformation_ctx)


class ErrorsAsDynamicFrame(GlueTransform):
    def __call__(self, frame: DynamicFrame) -> DynamicFrame:
        return frame.errorsAsDynamicFrame()
