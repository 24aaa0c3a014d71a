"""A second stack in the account: a shop with files of its own, by a mapping."""

from __future__ import annotations

from benchmarks.attack.product import Product
from configuration.connection import Connection

NAME, KIND, USERS = "shop", "wide", 60


def beside(product: Product) -> Product:
    """The shop's product on the same local AWS, with its files there."""
    from infrastructure.deploy import deploy
    from rebuy.data.sources import upload
    from tests.mapping import foreign

    folder = product.home.parent / NAME
    folder.mkdir()
    mapping = foreign.write(KIND, USERS, folder)
    settings = product.connection.settings.model_copy(
        update={"stack_name": NAME, "source": mapping}
    )
    second = Product(product.home, USERS, product.policies, product.url)
    second.connection = Connection(settings)
    second.outputs = deploy(second.connection, lambda line: None).outputs
    s3 = second.connection.client("s3")
    upload(mapping, folder / KIND, second.outputs["RawBucket"], s3)
    return second
