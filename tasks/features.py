"""Stages 4 and 5: cleaning with DataBrew, features with Athena and DataBrew."""

from __future__ import annotations

from tasks import sql
from tasks.athena import by_name, run_item, run_statement
from tasks.databrew import NODES_OF_NEW, RecipeJob, below_run, make_dataset, of_run, recipe_job
from tasks.stages import comment
from tasks.states import Map, Parallel, State, Task, jsonata, sdk

# The recipe of each table that grows, as the template calls it, and the dataset that it reads.
CLEANED = {
    "orders": ("CleanOrders", "${RawOrdersDataset}"),
    "order_products": ("CleanOrderProducts", "${RawOrderProductsDataset}"),
}


def clean_with_databrew() -> State:
    """Orders and order lines, trimmed and typed, at the same time. `$.cleaned.<table>` then has
    the figures of the statement that made the catalog's table of it."""
    tables = Map(
        "Clean with DataBrew",
        comment(4, "Orders and order lines, trimmed and typed, at the same time."),
        items=[
            {
                "name": table,
                "job_name": of_run(f"${{{recipe}JobName}}"),
                "dataset": dataset,
                "recipe": f"${{{recipe}Recipe}}",
                "version": f"${{{recipe}Version}}",
                "folder": below_run(f"cleaned/{table}"),
                "nodes": NODES_OF_NEW,
                "sql": sql.read(f"tables/cleaned_{table}").query_string(),
            }
            for table, (recipe, dataset) in CLEANED.items()
        ],
        output=by_name("cleaned"),
        most_at_once=len(CLEANED),
    )
    of_item = {
        member: jsonata(f"$states.input.{member}")
        for member in ("dataset", "recipe", "version", "folder", "nodes")
    }
    first, last = recipe_job(
        "Make the cleaning job",
        "Clean table",
        RecipeJob(name=jsonata("$states.input.job_name"), by=("object",), **of_item),
        (
            comment(4, "A DataBrew job of this run's own."),
            comment(4, "The table as its recipe writes it: a folder a raw object."),
        ),
    )
    last.next(
        run_item(
            "Define cleaned table",
            "tables",
            comment(4, "The catalog's name for what the recipe wrote."),
        )
    )
    tables.attach(first)
    return tables


def complete_orders() -> Task:
    """clean_orders: every order, and the next one of those whose next one is to be predicted."""
    return run_statement(
        "Complete orders",
        sql.read("clean/orders"),
        comment(5, "All orders, and the next one of each customer whose next one nobody marked."),
        table="clean_orders",
        folder="clean",
        keep_at="orders",
    )


def collect_order_lines() -> Task:
    """clean_order_products: the lines of all orders."""
    return run_statement(
        "Collect order lines",
        sql.read("clean/order_products"),
        comment(5, "The lines of all orders, in one place."),
        table="clean_order_products",
        folder="clean",
        keep_at="order_lines",
    )


def join_prior_lines() -> Task:
    """order_products_prior: what users bought before the order to predict."""
    return run_statement(
        "Join prior order lines",
        sql.read("features/order_products_prior"),
        comment(5, "What users bought before the order to predict: one row an order line."),
        table="order_products_prior",
        keep_at="prior",
    )


def compute_product_history() -> Task:
    """product_history: how likely the n-th order after a purchase holds the product."""
    return run_statement(
        "Compute product history",
        sql.read("features/product_history"),
        comment(5, "One row a product and n: how likely the n-th order since a purchase holds it."),
        table="product_history",
        keep_at="history",
    )


def build_features() -> State:
    """User and user-product features by SQL, product features by recipe, at the same time."""
    dataset = of_run("${PriorLinesDatasetName}")
    first, last = recipe_job(
        "Make the job for product features",
        "Compute product features",
        RecipeJob(
            name=of_run("${ProductFeaturesJobName}"),
            dataset=dataset,
            recipe="${ProductFeaturesRecipe}",
            version="${ProductFeaturesVersion}",
            folder=below_run("features/product_features"),
        ),
        (
            comment(5, "A DataBrew job of this run's own."),
            comment(5, "One row a product, as the recipe product_features writes it."),
        ),
        make_dataset(
            "Make the dataset of prior lines",
            dataset,
            jsonata("$states.input.prior.table"),
            comment(5, "DataBrew's name for this run's table of prior lines."),
        ),
    )
    last.next(
        run_statement(
            "Define product features",
            sql.read("tables/product_features"),
            comment(5, "The catalog's name for what the recipe wrote."),
            table="product_features",
        )
    )
    return parallel(
        "Build features",
        comment(5, "Features of users, of user and product, and of products, at the same time."),
        {
            "user_features": run_statement(
                "Compute user features",
                sql.read("features/user_features"),
                comment(5, "One row a user."),
                table="user_features",
            ),
            "user_product_features": run_statement(
                "Compute user-product features",
                sql.read("features/user_product_features"),
                comment(5, "One row a user and product that the user bought: the candidates."),
                table="user_product_features",
            ),
            "product_features": first,
            "products": run_statement(
                "Name products",
                sql.read("features/products"),
                comment(5, "One row a product of the catalogue, with its name."),
                table="products",
            ),
        },
        result_path="$.features",
    )


def parallel(name: str, said: str, branches: dict[str, State], *, result_path: str) -> Parallel:
    """Branches by their first states; what each one's last state puts out stands under its key."""
    state = Parallel(
        name,
        comment=said,
        result_selector={f"{key}.$": f"$[{index}]" for index, key in enumerate(branches)},
        result_path=result_path,
    )
    for first in branches.values():
        state.add_branch(sdk.Chain([first]))
    return state
