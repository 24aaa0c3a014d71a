"""Transforms of DynamicFrames: importable, since scripts import them unused; refused when used."""

from __future__ import annotations

from awsglue.refusal import Refused

NAMES = [
    "ApplyMapping", "DropFields", "DropNullFields", "ErrorsAsDynamicFrame", "EvaluateDataQuality",
    "FillMissingValues", "Filter", "FindIncrementalMatches", "FindMatches", "FlatMap", "Join",
    "Map", "MapToCollection", "Relationalize", "RenameField", "ResolveChoice", "SelectFields",
    "SelectFromCollection", "Spigot", "SplitFields", "SplitRows", "Unbox", "Union",
    "UnnestFrame",
]  # fmt: skip

globals().update({name: Refused(f"awsglue.transforms.{name}") for name in NAMES})
