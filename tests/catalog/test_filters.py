"""GetPartitions' Expression: tests/cases/partition_expressions.json, through the Glue API."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws, start
from localaws.core.service import Service
from tests.conftest import cases


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from localaws.catalog import api

    def catalog(aws: LocalAws) -> Service:
        service = Service("glue")
        api.register(service, aws)
        return service

    home = Path(tmp_path_factory.mktemp("home"))
    local = start(home, [catalog], url="http://127.0.0.1:9", wait_scale=0)
    client = local.client("glue")
    client.create_database(DatabaseInput={"Name": "db"})
    yield client
    local.stop()


@pytest.mark.parametrize("case", cases("partition_expressions"), ids=itemgetter("why"))
def test_an_expression_keeps_the_partitions_that_satisfy_it(
    glue: Any, case: dict[str, Any]
) -> None:
    keys = [{"Name": "k", "Type": case["type"]}]
    glue.create_table(DatabaseName="db", TableInput={"Name": "t", "PartitionKeys": keys})
    place = {"DatabaseName": "db", "TableName": "t"}
    try:
        glue.batch_create_partition(
            **place, PartitionInputList=[{"Values": [value]} for value in case["values"]]
        )
        if "error" in case:
            with pytest.raises(ClientError) as caught:
                glue.get_partitions(**place, Expression=case["expression"])
            assert caught.value.response["Error"]["Code"] == "InvalidInputException"
            assert case["error"] in caught.value.response["Error"]["Message"]
            return
        found = glue.get_partitions(**place, Expression=case["expression"])["Partitions"]
        assert [partition["Values"][0] for partition in found] == sorted(case["kept"])
    finally:
        glue.delete_table(DatabaseName="db", Name="t")
