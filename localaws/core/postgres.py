"""PostgreSQL by a JDBC URL: the one kind of database that localaws itself speaks to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit


class PostgresError(Exception):
    """The message is the database's own sentence, or what is wrong with the address."""


def connect(url: str, user: str | None, password: str | None, seconds: float | None = None) -> Any:
    """A pg8000.native.Connection to jdbc:postgresql://host:port/database, of which no call takes
    longer than `seconds`. Raises PostgresError."""
    import pg8000.native  # few need it

    place = address(url)
    try:
        return pg8000.native.Connection(user or "", password=password, timeout=seconds, **place)
    except (pg8000.native.InterfaceError, pg8000.native.DatabaseError, OSError) as error:
        raise PostgresError(f"{url}: {told(error)}") from error


def address(url: str) -> dict[str, Any]:
    """Host, port and database of jdbc:postgresql://host:port/database. Raises PostgresError."""
    found = urlsplit(url.removeprefix("jdbc:"))
    if found.scheme != "postgresql":
        raise PostgresError(
            f"{url}: localaws speaks to PostgreSQL, and to no other kind of database."
        )
    if found.query:
        raise PostgresError(f"{url}: localaws takes no parameters ({found.query}) in the URL.")
    database = found.path.strip("/")
    if not found.hostname or not database:
        raise PostgresError(f"{url} is not like jdbc:postgresql://host:5432/database.")
    return {"host": found.hostname, "port": found.port or 5432, "database": database}


def told(error: Exception) -> str:
    """PostgreSQL's own sentence and its detail."""
    given = error.args[0] if error.args else ""
    if isinstance(given, dict):
        return " ".join(given[each] for each in ("M", "D") if each in given)
    return str(given or error)
