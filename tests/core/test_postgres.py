"""The addresses of databases that are taken, and what is said of others."""

from __future__ import annotations

import pytest

from localaws.core.postgres import PostgresError, address


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("jdbc:postgresql://db.example:6432/shop", 6432),
        ("jdbc:postgresql://db.example/shop", 5432),
    ],
)
def test_an_address_is_host_port_and_database(url: str, port: int) -> None:
    assert address(url) == {"host": "db.example", "port": port, "database": "shop"}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("jdbc:mysql://db/shop", "and to no other kind of database"),
        ("jdbc:postgresql://db/shop?ssl=true", r"takes no parameters \(ssl=true\)"),
        ("jdbc:postgresql://db:5432", "is not like jdbc:postgresql://host:5432/database"),
        ("jdbc:postgresql:///shop", "is not like jdbc:postgresql://host:5432/database"),
    ],
)
def test_another_address_is_refused(url: str, says: str) -> None:
    with pytest.raises(PostgresError, match=says):
        address(url)
