"""What an account proves for nothing, asked of the local one."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from configuration.connection import Connection
from configuration.settings import Settings
from infrastructure import code_bucket
from infrastructure.stack import find_stack
from rebuy.validation import account
from rebuy.validation.product import Product
from tests.validation.test_broken import deployed, without_action


@pytest.fixture
def connection(server: Any) -> Connection:
    return Connection(Settings(endpoint_url=server.url, region="us-east-1"))


def test_an_account_without_a_stack_proves_what_it_can_and_is_left_as_it_was(
    connection: Connection,
) -> None:
    code_bucket.ensure(connection)

    told = {look.name: look for look in account.validate(connection, Product.load())}

    assert {name: look.wrong for name, look in told.items() if look.wrong} == {}
    assert told["definition"].proved == "ValidateStateMachineDefinition: OK"
    assert "a change set of" in told["template"].proved
    assert "SimulateCustomPolicy: " in told["permissions"].proved
    assert "There is no stack" in told["SQL"].not_made
    assert "There is no stack" in told["roles"].not_made
    assert "does not emulate ecr:BatchGetImage" in told["images"].not_made
    assert find_stack(connection.client("cloudformation"), "rebuy") is None


def test_what_aws_would_refuse_is_told_in_its_words(connection: Connection) -> None:
    product = Product.load()
    broken = without_action("CrawlerRole", "s3:GetObject")(
        deployed('"Next": "Crawled?"', '"Next": "Crawld?"')(product)
    )

    told = {look.name: look for look in account.validate(connection, broken)}

    assert any("Missing 'Next' target: Crawld?" in one for one in told["definition"].wrong)
    assert any(
        one.startswith("CrawlerRole: s3:GetObject on arn:aws:s3:::") and "implicitDeny" in one
        for one in told["permissions"].wrong
    )
    assert "is not there yet; `rebuy deploy --preview` makes it" in told["template"].not_made


def test_the_image_is_the_one_that_the_regions_registry_has(connection: Connection) -> None:
    """There is no registry here: its answers are told to the client, its requests are read."""
    asked = {
        "registryId": "683313688378",
        "repositoryName": "sagemaker-xgboost",
        "imageIds": [{"imageTag": "3.0-5"}],
    }
    there = {"imageId": {"imageDigest": "sha256:1"}}
    lacking = {"failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
    with Stubber(connection.client("ecr")) as registry:
        registry.add_response("batch_get_image", {"images": [there], "failures": []}, asked)
        registry.add_response("batch_get_image", {"images": [], "failures": [lacking]}, asked)
        found, not_found = account.Look("images"), account.Look("images")
        product = Product.load()

        proved = account.images(connection, product, found)
        account.images(connection, product, not_found)

    assert (proved, found.wrong) == ("sagemaker-xgboost:3.0-5 is sha256:1", [])
    assert not_found.wrong == ["sagemaker-xgboost:3.0-5: Requested image not found"]
