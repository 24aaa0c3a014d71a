"""Services start and stop each by itself: what one of them fails at is its own affair."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from werkzeug.wrappers import Response

from localaws.core import server as http
from localaws.core.aws import LocalAws, start
from localaws.core.service import Call, Service
from localaws.services import SERVICES


def healthy(aws: LocalAws) -> Service:
    service = Service("events")
    service.operation("ListRules")(lambda _: {"Rules": []})
    return service


def forgetful(aws: LocalAws) -> Service:
    """Fails when it reads what it has kept; its operations are all there."""
    service = Service("glue")

    @service.operation("GetDatabases")
    def get_databases(_: Call) -> dict[str, Any]:
        raise AssertionError("a service that did not start must not be asked")

    service.routes["/_aws/glue"] = lambda _: Response("fine")

    @service.on_start
    def recover() -> None:
        raise ValueError("run 17 cannot be read")

    return service


def broken(aws: LocalAws) -> Service:
    raise ValueError("athena.sqlite was written by a newer one")


def test_a_service_that_does_not_start_answers_with_its_reason(tmp_path: Path) -> None:
    factories = {"glue": forgetful, "athena": broken, "events": healthy}
    local = start(tmp_path / "home", factories)
    with pytest.raises(
        ClientError, match=r"glue .* did not start: run 17 cannot be read"
    ) as refused:
        local.client("glue").get_databases()
    assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    with pytest.raises(ClientError, match=r"athena .* did not start: athena.sqlite was written"):
        local.client("athena").list_work_groups()
    assert local.client("events").list_rules()["Rules"] == []
    with http.BackgroundServer(http.bind(0), local.gateway) as server:
        with urllib.request.urlopen(f"{server.url}/_aws/health") as answer:
            health = json.loads(answer.read())
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"{server.url}/_aws/glue/x")
    assert health["services"] == ["events"]
    assert health["failed"] == {
        "glue": "run 17 cannot be read",
        "athena": "athena.sqlite was written by a newer one",
    }
    local.stop()


def test_a_service_that_does_not_stop_keeps_no_other_from_it(tmp_path: Path) -> None:
    stopped: list[str] = []

    def named(name: str) -> Any:
        def factory(aws: LocalAws) -> Service:
            service = Service(name)

            def stop() -> None:
                stopped.append(name)
                assert aws.documents.items("any") == []  # documents are open until the end
                raise RuntimeError(f"{name} has an accident")

            service.on_stop(stop)
            service.on_stop(lambda: stopped.append(f"{name}, second"))
            return service

        return factory

    local = start(tmp_path / "home", [named("glue"), named("athena")])
    with pytest.raises(RuntimeError, match="glue has an accident"):
        local.stop()
    assert stopped == ["athena", "athena, second", "glue", "glue, second"]
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        local.documents.items("any")


def test_every_service_is_listed_by_its_own_name(tmp_path: Path) -> None:
    local = start(tmp_path / "home", SERVICES)
    assert list(local.gateway.services) == list(SERVICES)
    assert all(service.failure is None for service in local.gateway.services.values())
    local.stop()
