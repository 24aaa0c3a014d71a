"""A database that orders and their lines are read from: `[database]` of the settings."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.glue_jobs.read_database import COLUMNS

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?")
QUERY = re.compile(r"\s*(SELECT|WITH)\b[^;]*", re.IGNORECASE)
# What a parameter of CloudFormation holds.
MOST_CHARACTERS = 4096


class Database(BaseModel):
    """Where it is and what is read of it. Its password is in Secrets Manager alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    url: str = Field(pattern=r"^jdbc:postgresql://[A-Za-z0-9.-]+:\d{1,5}/[A-Za-z0-9_-]+$")
    """`jdbc:postgresql://host:5432/shop`: PostgreSQL alone."""
    secret: str = Field(pattern=r"^arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$")
    """ARN of a secret `{"username": ..., "password": ...}` in the deployment's account and
    region."""
    orders: str = Field("orders", max_length=MOST_CHARACTERS)
    """A table, or a `SELECT` with the columns of [orders](data.md#raw-files)."""
    order_products: str = Field("order_products", max_length=MOST_CHARACTERS)
    """The same for [order lines](data.md#raw-files)."""
    tls: bool = True
    """Whether the connection is encrypted; the server's certificate is not compared."""
    driver: str = "pg8000==1.31.6"
    """What pip installs for the job: in a network without the internet wheels in S3."""

    @field_validator("orders", "order_products")
    @classmethod
    def _read_alone(cls, wanted: str) -> str:
        if not NAME.fullmatch(wanted.strip()) and not QUERY.fullmatch(wanted):
            raise ValueError("it is the name of a table, or one SELECT without a semicolon")
        return wanted.strip()

    @model_validator(mode="after")
    def _whole(self) -> Database:
        for table, columns in COLUMNS.items():
            query = getattr(self, table)
            if not NAME.fullmatch(query) and (lacking := lacks(query, columns)):
                raise ValueError(f"{table} lacks the columns {', '.join(lacking)}")
        return self


def lacks(query: str, columns: tuple[str, ...]) -> list[str]:
    """Columns that a query does not select; none where it selects `*`. Raises ValueError."""
    import sqlglot  # takes a while, and only a query needs it

    try:
        read = sqlglot.parse_one(query, dialect="postgres")
    except sqlglot.errors.ParseError as error:
        raise ValueError(f"{query!r} is no query: {error.errors[0]['description']}") from error
    if not isinstance(read, sqlglot.exp.Query):
        raise ValueError(f"{query!r} is no query")
    there = {name.lower() for name in read.named_selects}
    return [] if "*" in there else [name for name in columns if name not in there]
