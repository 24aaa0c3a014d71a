"""The rules of a Map's own fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from localaws.shapes import Json
from localaws.stepfunctions.definition import JSONATA, JSONPATH
from localaws.stepfunctions.field_rules import (
    Diagnostic,
    is_expression,
    number_field,
    path_field,
    template,
)
from localaws.stepfunctions.records import EXPRESS

READERS = ("arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2")
WRITERS = ("arn:aws:states:::s3:putObject",)
READ_TYPES = ("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST")
MANIFESTS = ("ATHENA_DATA", "S3_INVENTORY")
TRANSFORMATIONS = ("NONE", "LOAD_AND_FLATTEN")
WRITER_FIELDS = {"Resource", "Parameters", "Arguments", "WriterConfig"}
OUTPUT_TYPES = ("JSON", "JSONL")
RESULT_FORMS = ("NONE", "COMPACT", "FLATTEN")
READER_FIELDS = {"Resource", "Parameters", "Arguments", "ReaderConfig", "Bucket"}
CONFIG_FIELDS = {
    "InputType",
    "CSVHeaderLocation",
    "CSVHeaders",
    "CSVDelimiter",
    "MaxItems",
    "MaxItemsPath",
    "ManifestType",
    "Transformation",
    "ItemsPointer",
}
DELIMITERS = ("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB")
MOST_ITEMS = 100_000_000  # as many as a Map Run has
MAX_LABEL = 40
FORBIDDEN_IN_LABEL = re.compile(r"[\s?*<>{}\[\]:;,\\|^~$#%&`\"\x00-\x1f\x7f-\x9f]")
ONLY_DISTRIBUTED = ("ItemReader", "ResultWriter", "Label")


def check(state: Json, where: str, language: str) -> Iterator[Diagnostic]:
    if "ItemProcessor" not in state and "Iterator" not in state:
        yield Diagnostic("These fields are required: [ItemProcessor]", where)
        return
    if "ItemSelector" in state and "Parameters" in state:
        yield Diagnostic("Only one of these fields is allowed: [ItemSelector, Parameters]", where)
    yield from _bounds(state, where, language)
    if "ItemBatcher" in state:
        yield from _batcher(state["ItemBatcher"], f"{where}/ItemBatcher", language)
    if language == JSONPATH:
        for name in ("ItemReader", "ResultWriter"):
            given = state.get(name, {}).get("Parameters")
            yield from template(given, f"{where}/{name}/Parameters")
    yield from _processor(state, where, language)


def _bounds(state: Json, where: str, language: str) -> Iterator[Diagnostic]:
    yield from number_field(state, "MaxConcurrency", where, 0, 10_000, language)
    yield from number_field(state, "ToleratedFailureCount", where, 0, MOST_ITEMS, language)
    percentage = state.get("ToleratedFailurePercentage", 0)
    fits = isinstance(percentage, int | float) and not isinstance(percentage, bool)
    if not (fits and 0 <= percentage <= 100) and not (
        language == JSONATA and is_expression(percentage)
    ):
        yield Diagnostic(
            "The value for the field 'ToleratedFailurePercentage' must be a number from 0 to 100",
            f"{where}/ToleratedFailurePercentage",
        )


def _processor(state: Json, where: str, language: str) -> Iterator[Diagnostic]:
    """How the items' states run, and what only a distributed map has."""
    name = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
    processor = state[name]
    config = processor.get("ProcessorConfig", {}) if isinstance(processor, dict) else {}
    place = f"{where}/{name}/ProcessorConfig"
    if not isinstance(config, dict):
        yield Diagnostic("The value for the field 'ProcessorConfig' must be an object", place)
        return
    mode = config.get("Mode", "INLINE")
    if mode not in ("INLINE", "DISTRIBUTED"):
        yield _one_of("Mode", ("INLINE", "DISTRIBUTED"), f"{place}/Mode")
    if mode != "DISTRIBUTED":
        for name in ONLY_DISTRIBUTED:
            if name in state:
                yield Diagnostic(f"Field '{name}' needs the mode DISTRIBUTED", where)
        return
    if "Label" in state:
        yield from _label(state["Label"], f"{where}/Label")
    execution = config.get("ExecutionType")
    if execution is None:
        yield Diagnostic("These fields are required: [ExecutionType]", place)
    elif execution not in ("STANDARD", "EXPRESS"):
        yield _one_of("ExecutionType", ("STANDARD", "EXPRESS"), f"{place}/ExecutionType")
    if "ItemReader" in state:
        yield from _reader(state["ItemReader"], f"{where}/ItemReader", language)
    if "ResultWriter" in state:
        yield from _writer(state["ResultWriter"], f"{where}/ResultWriter")


def _label(label: str, where: str) -> Iterator[Diagnostic]:
    """https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html"""
    if not label or len(label) > MAX_LABEL:
        problem = f"must have 1 to {MAX_LABEL} characters, not {len(label)}"
    elif wrong := FORBIDDEN_IN_LABEL.search(label):
        problem = f"must not have the character {wrong[0]!r}"
    else:
        return
    yield Diagnostic(f"The field 'Label' {problem}", where, code="INVALID_LABEL_NAME")


def is_distributed(state: Json) -> bool:
    return _config(state).get("Mode") == "DISTRIBUTED"


def has_express_children(state: Json) -> bool:
    """Whether a Map Run of the state starts executions of type EXPRESS."""
    return is_distributed(state) and _config(state).get("ExecutionType") == EXPRESS


def _config(state: Json) -> Json:
    processor = state.get("ItemProcessor", state.get("Iterator"))
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    return config if isinstance(config, dict) else {}


def _one_of(name: str, accepted: tuple[str, ...], where: str) -> Diagnostic:
    return Diagnostic(
        f"The field '{name}' should have one of these values: [{', '.join(accepted)}]", where
    )


def _batcher(batcher: Json, where: str, language: str) -> Iterator[Diagnostic]:
    yield from number_field(batcher, "MaxItemsPerBatch", where, 1, MOST_ITEMS, language)
    yield from number_field(batcher, "MaxInputBytesPerBatch", where, 1, 262_144, language)
    if language == JSONPATH:
        yield from template(batcher.get("BatchInput"), f"{where}/BatchInput")
        for name in ("MaxItemsPerBatchPath", "MaxInputBytesPerBatchPath"):
            if name in batcher:
                yield from path_field(batcher[name], f"{where}/{name}", name, calls=False)


def _reader(reader: Json, where: str, language: str) -> Iterator[Diagnostic]:
    if reader.get("Resource") not in READERS:
        yield _one_of("Resource", READERS, f"{where}/Resource")
        return
    for name in reader:
        if name not in READER_FIELDS:
            yield Diagnostic(f"Field '{name}' is not supported", where)
    config = reader.get("ReaderConfig", {})
    if not isinstance(config, dict):
        yield Diagnostic("The value for the field 'ReaderConfig' must be an object", where)
        return
    place = f"{where}/ReaderConfig"
    for name in config:
        if name not in CONFIG_FIELDS:
            yield Diagnostic(f"Field '{name}' is not supported", place)
    for name, accepted in (("ManifestType", MANIFESTS), ("Transformation", TRANSFORMATIONS)):
        if name in config and config[name] not in accepted:
            yield _one_of(name, accepted, f"{place}/{name}")
    if language == JSONPATH and "MaxItemsPath" in config:
        path = config["MaxItemsPath"]
        yield from path_field(path, f"{place}/MaxItemsPath", "MaxItemsPath", calls=False)
    pointer = config.get("ItemsPointer", "")
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        yield Diagnostic("The field 'ItemsPointer' must be a JSON Pointer", f"{place}/ItemsPointer")
    yield from _read_type(config, place, listing=reader["Resource"] == READERS[1])


def _read_type(config: Json, place: str, *, listing: bool) -> Iterator[Diagnostic]:
    """What is read, and what a CSV file needs."""
    kind = config.get("InputType")
    flattened = config.get("Transformation") == "LOAD_AND_FLATTEN"
    needs_type = flattened if listing else config.get("ManifestType") != "S3_INVENTORY"
    if kind is None and needs_type:
        yield Diagnostic("These fields are required: [InputType]", place)
    elif kind is not None and kind not in READ_TYPES:
        yield _one_of("InputType", READ_TYPES, f"{place}/InputType")
    if config.get("CSVDelimiter", "COMMA") not in DELIMITERS:
        yield _one_of("CSVDelimiter", DELIMITERS, f"{place}/CSVDelimiter")
    if kind == "CSV" and config.get("CSVHeaderLocation") not in ("FIRST_ROW", "GIVEN"):
        yield _one_of("CSVHeaderLocation", ("FIRST_ROW", "GIVEN"), f"{place}/CSVHeaderLocation")
    if config.get("CSVHeaderLocation") == "GIVEN" and not config.get("CSVHeaders"):
        yield Diagnostic("These fields are required: [CSVHeaders]", place)


def _writer(writer: Json, where: str) -> Iterator[Diagnostic]:
    for name in writer:
        if name not in WRITER_FIELDS:
            yield Diagnostic(f"Field '{name}' is not supported", where)
    config = writer.get("WriterConfig")
    if config is not None and not isinstance(config, dict):
        yield Diagnostic("The value for the field 'WriterConfig' must be an object", where)
        return
    if ("Resource" in writer or config is None) and writer.get("Resource") not in WRITERS:
        yield _one_of("Resource", WRITERS, f"{where}/Resource")
    for name, accepted in (("OutputType", OUTPUT_TYPES), ("Transformation", RESULT_FORMS)):
        if config is not None and name in config and config[name] not in accepted:
            yield _one_of(name, accepted, f"{where}/WriterConfig/{name}")
