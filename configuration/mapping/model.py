"""What a mapping says: which files there are, and where the columns of the five tables are in them.

A TOML file, or the table `[source]` of rebuy.toml. `schema.json` beside this file is its JSON
schema; docs/mapping.md has it in words.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from configuration.errors import InputError

SCHEMA = Path(__file__).with_name("schema.json")
INSTACART = Path(__file__).with_name("instacart.toml")

Format = Literal["csv", "jsonl", "parquet"]
Id = Literal["user_id", "order_id", "product_id", "aisle_id", "department_id"]
Table = Literal["orders", "order_products", "products", "aisles", "departments"]
TABLES: tuple[Table, ...] = ("orders", "order_products", "products", "aisles", "departments")
Columns = Annotated[list[str], Field(min_length=1)]
# One column, or several that only together tell one from another.
Key = str | Columns
KIND = r"^[a-z][a-z0-9_]{0,29}$"
PARQUET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PARQUET_TYPE = re.compile(
    r"string|boolean|tinyint|smallint|int|bigint|float|double|date|timestamp|decimal\(\d+,\d+\)"
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Files(_Part):
    """Files of one kind, which all have the same columns."""

    pattern: str = Field(description="Names of the files: `sales-*.csv`; letters' case is ignored.")
    format: Format = Field("csv", description="csv, jsonl (a JSON object a line) or parquet.")
    columns: list[str] | dict[str, str] = Field(
        min_length=1,
        description="Every column of a CSV file, in the file's order; those of interest of a JSON"
        " lines file; of Parquet a table: name to Athena's type (string, bigint, timestamp ...).",
    )
    separator: str = Field(",", min_length=1, max_length=1, description='"\\t" for a tab.')
    encoding: str = Field(
        "utf-8",
        description="Of the files in your folder, by Python's name; `rebuy data upload` turns them"
        " into UTF-8, which is what Athena reads.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Files:
        names = list(self.columns)
        twice = sorted({name for name in names if names.count(name) > 1 or not name.strip()})
        if twice:
            raise ValueError(f"columns are named once, with a name each: {twice}")
        if self.format == "parquet":
            _check_parquet(self.columns)
        elif not isinstance(self.columns, list):
            raise ValueError(
                f"columns of {self.format} are a list of names; only Parquet has types"
            )
        try:
            codecs.lookup(self.encoding)
        except LookupError as error:
            raise ValueError(f"no such encoding: {self.encoding}") from error
        if self.separator in ('"', "\n", "\r"):
            raise ValueError(f"separator cannot be {self.separator!r}")
        return self

    def type_of(self, column: str) -> str:
        """Athena's type; of text formats all is text."""
        return self.columns[column] if isinstance(self.columns, dict) else "string"


def _check_parquet(columns: list[str] | dict[str, str]) -> None:
    if not isinstance(columns, dict):
        raise ValueError("columns of Parquet are a table of names and types, {id = 'bigint'}")
    for name, kind in columns.items():
        if not PARQUET_NAME.fullmatch(name):
            raise ValueError(f"Parquet column {name!r}: letters, digits and _ only, as in Athena")
        if not PARQUET_TYPE.fullmatch(kind):
            raise ValueError(f"Parquet column {name!r}: {kind!r} is no type that is read")


class _Rows(_Part):
    file: str = Field(description="The kind of files ([files.<kind>]) that it is in.")
    keep: list[str] = Field(
        [], description="Further columns that go along, as text, into the mapped table."
    )


class Orders(_Rows):
    """One row an order; or a file of lines, then `file` is that of [order_products] too."""

    user_id: str
    order_id: Key | None = Field(None, description="One column, or several together.")
    one_per: Literal["day"] | None = Field(
        None, description="day: what a customer buys in one day is one order; needs no order_id."
    )
    ordered_at: str | None = Field(
        None, description="The time; order_number, weekday, hour and gap are derived from it."
    )
    ordered_at_format: str = Field(
        "iso",
        description="iso (2017-12-31T10:05:00), epoch_seconds, epoch_milliseconds, or a format of"
        " Athena's date_parse (%d.%m.%Y %H:%i: %i is the minute).",
    )
    timezone: str | None = Field(
        None, description="Where the shop is, if its times are UTC or have an offset: Europe/Berlin"
    )
    order_number: str | None = None
    order_dow: str | None = None
    order_hour_of_day: str | None = None
    days_since_prior_order: str | None = None
    eval_set: str | None = Field(None, description="prior, train or test, as in Instacart's files.")
    drop_without_customer: bool = Field(
        False, description="Leave out rows without a user_id, which are refused otherwise."
    )

    @model_validator(mode="after")
    def _fits(self) -> Orders:
        if (self.order_id is None) == (self.one_per is None):
            raise ValueError("[orders] takes order_id, or one_per = 'day'")
        given = [self.order_number, self.order_dow, self.order_hour_of_day]
        given.append(self.days_since_prior_order)
        if self.ordered_at is None and None in given:
            raise ValueError(
                "[orders] takes ordered_at; or all of order_number, order_dow, order_hour_of_day,"
                " days_since_prior_order"
            )
        if self.ordered_at is not None and any(column is not None for column in given):
            raise ValueError("[orders] with ordered_at derives order_number, order_dow and so on")
        if self.one_per and self.ordered_at is None:
            raise ValueError("[orders] one_per = 'day' needs ordered_at")
        if self.timezone and not re.fullmatch(r"[A-Za-z0-9_+/-]+", self.timezone):
            raise ValueError(f"no such time zone: {self.timezone}")
        return self


class Lines(_Rows):
    """One row a product in an order."""

    product_id: Key
    order_id: Key | None = Field(None, description="If it is another file than that of [orders].")
    add_to_cart_order: str | None = Field(
        None, description="The position; without it, or with equal ones: by product_id."
    )
    reordered: str | None = Field(
        None, description="0 or 1; without it: whether an earlier order of the customer has it."
    )
    quantity: str | None = Field(
        None, description="Lines of nothing or less (returns) are left out."
    )


class Products(_Rows):
    """One row a product; or, in the file of the lines, what its last line says."""

    product_id: Key
    product_name: Key | None = Field(None, description="Several columns: one after the other.")
    aisle_id: str | None = None
    aisle: str | None = Field(None, description="A name, where there is no aisle_id.")
    department_id: str | None = None
    department: str | None = Field(None, description="A name, where there is no department_id.")
    add_missing: bool = Field(
        False, description="Add products that lines name and this file lacks; else it is refused."
    )


class Aisles(_Rows):
    aisle_id: str
    aisle: str


class Departments(_Rows):
    department_id: str
    department: str


class Mapping(_Part):
    """A shop's own files as the five tables."""

    files: dict[Annotated[str, Field(pattern=KIND)], Files] = Field(min_length=1)
    orders: Orders
    order_products: Lines
    products: Products
    aisles: Aisles | None = None
    departments: Departments | None = None
    text_ids: list[Id] = Field(
        [],
        description="Ids that are no whole numbers (names, UUIDs): each text gets a number, always"
        " the same one; the table `dictionary` has both.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Mapping:
        for where, file, column in self.used():
            if file not in self.files:
                raise ValueError(f"[{where}] file is {file!r}; there is {', '.join(self.files)}")
            if column not in self.files[file].columns:
                raise ValueError(
                    f"[{where}] names the column {column!r}; [files.{file}] has"
                    f" {', '.join(self.files[file].columns)}"
                )
        separate = self.order_products.file != self.orders.file
        if separate and self.orders.one_per:
            raise ValueError("[orders] one_per = 'day' is for one file of lines")
        if separate and self.order_products.order_id is None:
            raise ValueError("[order_products] in a file of its own needs order_id")
        if not separate and self.order_products.order_id is not None:
            raise ValueError("[order_products] in the file of [orders] has the orders' order_id")
        return self

    def parts(self) -> Iterator[tuple[Table, _Rows]]:
        """The tables that it says something of."""
        given = ((table, getattr(self, table)) for table in TABLES)
        return ((table, part) for table, part in given if part is not None)

    def used(self) -> Iterator[tuple[str, str, str]]:
        """(table, kind of file, column) of every column that a table takes."""
        for table, part in self.parts():
            for name, value in part:
                if name in COLUMNS and value is not None:
                    for column in [value] if isinstance(value, str) else value:
                        yield table, part.file, column

    @property
    def wide(self) -> bool:
        """Whether orders are made out of the file of the lines."""
        return self.orders.file == self.order_products.file

    @cached_property
    def sha256(self) -> str:
        """Of what it says, without regard to spacing and comments."""
        document = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(document.encode()).hexdigest()


# Members of the tables that name columns of a file.
COLUMNS = {
    *("keep", "user_id", "order_id", "ordered_at", "order_number", "order_dow"),
    *("order_hour_of_day", "days_since_prior_order", "eval_set", "product_id"),
    *("add_to_cart_order", "reordered", "quantity", "product_name", "aisle_id", "aisle"),
    *("department_id", "department"),
}


def load(file: Path) -> Mapping:
    """The mapping of a TOML file. Raises InputError with the file, the member and what is wrong."""
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The mapping {file} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file} is no TOML: {error}") from error
    return parse(given, str(file))


def parse(given: dict[str, Any], where: str) -> Mapping:
    """The same of what was read already; `where` is for the error's text."""
    try:
        return Mapping(**given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'the whole'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise InputError(f"Mapping {where}: {wrong}") from error


def schema() -> str:
    """schema.json's text."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Mapping.model_json_schema(),
        "title": "A shop's own files as the five tables of rebuy",
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
