"""Stages 4 and 5: cleaning with DataBrew, features with Athena and DataBrew."""

from __future__ import annotations

from tasks import sql
from tasks.athena import run_statement
from tasks.databrew import Source, recipe_job
from tasks.states import Parallel, State, sdk


def clean_with_databrew() -> State:
    """Orders and order lines, trimmed and typed, at the same time."""
    return _parallel(
        "Clean with DataBrew",
        {
            "orders": recipe_job("Clean orders", "${CleanOrdersJob}", "clean/orders"),
            "order_products": recipe_job(
                "Clean order lines", "${CleanOrderProductsJob}", "clean/order_products"
            ),
        },
        result_path="$.cleaned",
    )


def define_clean_tables() -> State:
    """The catalog's names for what the recipes wrote."""
    return _parallel(
        "Define clean tables",
        {
            name: _one(run_statement(title, sql.read(f"tables/{name}")))
            for name, title in (
                ("clean_orders", "Define clean orders"),
                ("clean_order_products", "Define clean order lines"),
            )
        },
        result_path="$.tables",
    )


def join_prior_lines() -> State:
    """order_products_prior: what users bought before the order to predict."""
    return run_statement("Join prior order lines", sql.read("features/order_products_prior"))


def build_features() -> State:
    """User and user-product features by SQL, product features by recipe, at the same time."""
    first, done = recipe_job(
        "Compute product features",
        "${ProductFeaturesJob}",
        "features/product_features",
        Source("${PriorLinesDataset}", "order_products_prior"),
    )
    define = run_statement("Define product features", sql.read("tables/product_features"))
    done.next(define)
    return _parallel(
        "Build features",
        {
            "user_features": _one(
                run_statement("Compute user features", sql.read("features/user_features"))
            ),
            "user_product_features": _one(
                run_statement(
                    "Compute user-product features", sql.read("features/user_product_features")
                )
            ),
            "product_features": (first, define),
        },
        result_path="$.features",
    )


def publish_tables() -> State:
    """The views that people query now show this run's tables."""
    return _parallel(
        "Publish tables",
        {
            statement.name.split("/")[1]: _one(
                run_statement(f"Publish {statement.name.split('/')[1]}", statement)
            )
            for statement in sql.read_folder("publish")
        },
        result_path="$.published",
    )


def _one(state: State) -> tuple[State, State]:
    return state, state


def _parallel(name: str, branches: dict[str, tuple[State, State]], *, result_path: str) -> State:
    """Branches of (first, last) state; each last state's figures stand under the branch's key."""
    selector = {f"{key}.$": f"$[{index}]" for index, key in enumerate(branches)}
    state = Parallel(name, result_selector=selector, result_path=result_path)
    for first, last in branches.values():
        # A branch hands on its figures alone, not another copy of the whole state.
        last.fields["output_path"] = last.fields.get("result_path", "$.job")
        state.add_branch(sdk.Chain([first]))
    return state
