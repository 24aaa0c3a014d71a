"""AWS Glue 5.1 job: a run's cleaned orders and feature tables become the model's four data sets.

Reads, below ``<lake>/runs/run=<run>/`` (Parquet):

- ``clean/orders/``, ``clean/order_products/``: which orders to predict, and what is in them;
- ``features/user_features/``, ``features/user_product_features/``, ``features/product_features/``,
  ``features/product_history/``: made of prior orders only, so nothing of an order to predict is in
  a feature but the days since the order before it.

Writes ``sets/set={training,validation,holdout,scoring}/`` (Parquet): one row per (user, product
that the user bought in a prior order) with user_id, product_id, order_id (the order to predict),
label (1 if that order holds the product), WORDS, then ALL_FEATURES in this order, all as float; a
feature that cannot be known is null. Training also has the two prior orders before a user's last
one as orders to predict, with every feature, the products' too, as it was before that order
(``held_back`` in the feature tables). Scoring has no labels, they are null, and it alone has WORDS:
days_between_purchases, the user's mean gap between two orders with the product (null after one),
and days_since_last_purchase, from the last such order to the order to predict; no model sees them
by these names. And ``sets/summary/``, one line of JSON::

    {"run": "...", "spark_version": "3.5.6", "validation_percent": 10, "holdout_percent": 10,
     "holdout_week": "2026-W48", "rows": {"training": n, ...}, "users": {...}, "orders": {...},
     "positives": {...}}

counted on what was written; ``positives`` has no "scoring".

The split is by user. Users whose next order is not known (``test`` or ``next``) are scored; the
last known order of a ``next`` user is a label as well. Of the users with a label, those whose
``crc32("rebuy-split-1:<user_id>") % 100`` (CRC-32 as in zlib, over the ASCII digits) is one of
the lowest ``validation_percent`` or the highest ``holdout_percent`` are kept aside in every run:
no model, of today or before, was trained on one of them. Which of them are validation and which
holdout changes every week: the first 8 hexadecimal digits of
``sha256("rebuy-holdout-<holdout_week>:<user_id>")``, modulo the two percentages together, are below
``validation_percent`` for validation. So a week's luck on its holdout is not kept, and a champion
and a challenger meet on users that neither has learned from. (A champion may have chosen its number
of rounds and its threshold on users who judge it now: that is to its favour, never the new one's.)

Job arguments (text): ``--lake_bucket``, ``--run``, ``--validation_percent``,
``--holdout_percent``, ``--holdout_week``; ``--lake_uri`` where the lake is not
``s3://<lake_bucket>``; and the folders of FOLDERS, where they are others.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark script uses
from pyspark.sql.types import StructType

SPLIT_SALT = "rebuy-split-1:"  # a new salt would move holdout users into training: never change it
LABELLED_SETS = ("training", "validation", "holdout")
SETS = (*LABELLED_SETS, "scoring")
# So many orders teach a model nearly as well as all (docs/benchmarks.md); order_products_prior.sql
# fills up with earlier ones to as many.
LEARNED_FROM = 45_000
# How many files a set has, and so the order of its rows, follows from the data alone.
FEWEST_FILES = 4
USERS_OF_A_FILE = 20_000  # about 1.3 million rows, sorted in a quarter of a gigabyte
# Tables with a row an order go to every executor up to so many rows (about 2 GB); larger ones meet
# the rows where the users' hash puts both.
MOST_BROADCAST = 5_000_000
# Of large tables four sets are written side by side: small groups of rows keep that in bounds.
ROW_GROUP_BYTES = 32 * 1024**2
MEASURES = {"rows": SETS, "users": SETS, "orders": SETS, "positives": LABELLED_SETS}

# The wire order of the endpoint: a line of 18 numbers.
FEATURES = (
    "up_orders",
    "user_mean_days_since_prior",
    "user_period",
    "user_distinct_products",
    "user_reorder_ratio",
    "user_total_products",
    "up_average_cart_position",
    "up_first_order",
    "user_orders",
    "up_last_order",
    "prod_orders",
    "prod_reorder_probability",
    "prod_reorder_times",
    "prod_reorder_ratio",
    "user_average_basket",
    "up_order_rate",
    "up_orders_since_last_order",
    "up_order_rate_since_first_order",
)

# More features follow, by name alone; the most useful first.
MORE_FEATURES = (
    "up_hazard",
    "up_decayed_orders",
    "up_orders_of_last_5",
    "up_decayed_30_days",
    "up_rate_of_last_5",
    "up_decayed_90_days",
    "up_decayed_rate",
    "prod_hazard",
    "up_days_since_last",
    "up_wait_ratio",
    "up_days_overdue",
    "aisle_hazard",
    "user_wait_ratio",
    "user_recent_reorder_ratio",
    "up_days_since_last_at_order",
    "user_active_share",
    "user_days_spread",
    "aisle_reorder_probability",
    "user_once_share",
    "user_aisle_rate",
)
ALL_FEATURES = (*FEATURES, *MORE_FEATURES)
FIRST_AND_SECOND = ("prod_first_orders", "prod_second_orders")
DECAY = 0.9  # of a purchase's weight, an order; as in user_product_features.sql
LATER = (1, 2)  # how many orders are held back for the labels of a training user's earlier orders

# Of the scoring set: what a prediction is told with, "every 9 days, last 12 days ago".
WORDS = ("days_between_purchases", "days_since_last_purchase")

# Folders below the run, by argument: a redriven run has made them under other names.
FOLDERS = {
    "clean_orders": "clean/orders",
    "clean_order_products": "clean/order_products",
    "product_history": "features/product_history",
    "user_features": "features/user_features",
    "user_product_features": "features/user_product_features",
}
OPTIONAL = ("lake_uri", *FOLDERS)


@dataclass(frozen=True)
class Arguments:
    """What the job was told, checked."""

    lake_uri: str  # without a slash at the end
    run: str
    validation_percent: int  # 1-98, of the users that have a train order
    holdout_percent: int  # 1-98; both together leave at least 1 for training
    holdout_week: str  # such as 2026-W48
    clean_orders: str = FOLDERS["clean_orders"]
    clean_order_products: str = FOLDERS["clean_order_products"]
    product_history: str = FOLDERS["product_history"]
    user_features: str = FOLDERS["user_features"]
    user_product_features: str = FOLDERS["user_product_features"]

    @property
    def run_uri(self) -> str:
        """Where everything of this run stands, without a slash at the end."""
        return f"{self.lake_uri}/runs/run={self.run}"


def read_arguments(options: Mapping[str, str]) -> Arguments:
    """The job arguments, or ValueError naming the argument, its value and what is accepted."""
    run = options["run"]
    if not re.fullmatch(r"[a-z0-9_]{1,40}", run):
        raise ValueError(
            f"--run was {run!r}; accepted are 1 to 40 lower-case letters, digits and underscores."
        )
    bucket = options["lake_bucket"]
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        raise ValueError(f"--lake_bucket was {bucket!r}; accepted is the name of an S3 bucket.")
    lake_uri = options.get("lake_uri", f"s3://{bucket}").rstrip("/")
    validation_percent = _percent(options, "validation_percent")
    holdout_percent = _percent(options, "holdout_percent")
    if validation_percent + holdout_percent > 99:
        raise ValueError(
            f"--validation_percent {validation_percent} and --holdout_percent {holdout_percent} "
            "leave no user for training; together they may be at most 99."
        )
    week = options["holdout_week"]
    if not re.fullmatch(r"[0-9]{4}-W[0-9]{2}", week):
        raise ValueError(f"--holdout_week was {week!r}; accepted is a week as 2026-W48.")
    folders = (_folder(options, name) for name in FOLDERS)
    return Arguments(lake_uri, run, validation_percent, holdout_percent, week, *folders)


def _folder(options: Mapping[str, str], name: str) -> str:
    """Where this stands below the run; as in FOLDERS if not told."""
    usual = FOLDERS[name]
    folder = options.get(name, usual)
    if not re.fullmatch(rf"{usual}(_[0-9]+)?", folder):
        raise ValueError(
            f"--{name} was {folder!r}; accepted is {usual}, or that with _2, _3 and so on."
        )
    return folder


def _percent(options: Mapping[str, str], name: str) -> int:
    """A whole percentage from 1 to 98."""
    text = options[name]
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= int(text) <= 98:
        raise ValueError(f"--{name} was {text!r}; accepted is a whole number from 1 to 98.")
    return int(text)


def read_table(spark: SparkSession, run_uri: str, folder: str) -> DataFrame:
    """The Parquet files of `folder` below the run, at any depth: DataBrew adds a folder a run."""
    return spark.read.option("recursiveFileLookup", "true").parquet(f"{run_uri}/{folder}/")


def split_of(user_id: Column, arguments: Arguments) -> Column:
    """The labelled set a user falls into: see the split rule at the top of this file."""
    digits = user_id.cast("string")
    validation, holdout = arguments.validation_percent, arguments.holdout_percent
    hundredth = F.crc32(F.concat(F.lit(SPLIT_SALT), digits)) % 100
    salt = F.lit(f"rebuy-holdout-{arguments.holdout_week}:")
    of_week = F.conv(F.substring(F.sha2(F.concat(salt, digits), 256), 1, 8), 16, 10).cast("long")
    return (
        F.when(hundredth.between(validation, 99 - holdout), F.lit("training"))
        .when(of_week % (validation + holdout) < validation, F.lit("validation"))
        .otherwise(F.lit("holdout"))
    )


def orders_to_predict(
    orders: DataFrame, lines: DataFrame, arguments: Arguments, *, small: bool = True
) -> DataFrame:
    """One row per order to predict: user_id, held_back, order_id, days_since_prior_order, set_name,
    bought_products.

    A user has one, with nothing held back; a user of the training set also the prior orders before
    it, each with itself and the later ones held back. The one of a `next` user is not known: it is
    scored, and the last prior one, held back, is labelled as others' train order is, in any set.
    `bought_products` are the product_ids of an order that is known. It is null for test and next
    orders, and for an order without lines. With `small`, every executor knows the orders to look
    for.

    Of more than LEARNED_FROM users with a label a share of the training set's is learned from; the
    others are in no set.
    """
    labelled = orders.where(F.col("eval_set").isin("train", "next")).count()
    taught = F.floor(F.col("user_id") / 20) % 100 * labelled < LEARNED_FROM * 100
    of_user = Window.partitionBy("user_id")
    is_last = F.col("eval_set").isin("train", "test", "next")
    placed = orders.select(
        "user_id",
        "order_id",
        "order_number",
        "eval_set",
        "days_since_prior_order",
        (F.max("order_number").over(of_user) - F.col("order_number")).alias("held_back"),
        F.max(F.when(is_last, F.col("eval_set"))).over(of_user).alias("kind"),
    )
    is_unknown = F.col("eval_set").isin("test", "next")
    is_label = (F.col("kind") == "next") & (F.col("held_back") == 1)
    targets = placed.withColumn(
        "set_name",
        F.when(is_unknown, F.lit("scoring")).otherwise(split_of(F.col("user_id"), arguments)),
    ).where(
        is_last
        | (
            F.col("held_back").isin(*LATER)
            & F.col("kind").isin("train", "next")
            & ((F.col("set_name") == "training") | is_label)
            & (F.col("order_number") > 1)
        )
    )
    targets = targets.where((F.col("set_name") != "training") | taught)
    targets = targets.drop("order_number", "eval_set", "kind")
    known = targets.where(F.col("set_name") != "scoring").select("order_id")
    bought = (
        lines.select("order_id", "product_id")
        .join(F.broadcast(known) if small else known, "order_id")
        .groupBy("order_id")
        .agg(F.collect_set("product_id").alias("bought_products"))
    )
    return targets.join(bought, "order_id", "left")


def product_ratios(products: DataFrame) -> DataFrame:
    """One row per product_id and held_back: prod_orders and the three ratios of its reorders.

    First and second orders are the users' first and second purchases of the product.
    """
    ratios = {
        "prod_reorder_probability": F.col("prod_second_orders") / F.col("prod_first_orders"),
        "prod_reorder_times": 1 + F.col("prod_reorders") / F.col("prod_first_orders"),
        "prod_reorder_ratio": F.col("prod_reorders") / F.col("prod_orders"),
    }
    return products.select(
        "product_id",
        "held_back",
        "prod_orders",
        *[ratio.alias(name) for name, ratio in ratios.items()],
    )


def with_keys(rows: DataFrame) -> DataFrame:
    """The same rows; user_id and held_back are of one type in every table."""
    keys = {"user_id": F.col("user_id").cast("long"), "held_back": F.col("held_back").cast("int")}
    return rows.withColumns(keys)


def by_user(rows: DataFrame, files: int, *order: str) -> DataFrame:
    """The same rows by the hash of their user, and sorted: always in the same files and order.

    Athena writes its rows in any order, and training draws its samples by position: without this,
    the same data would give another model each time. Sorting here, before the other features are
    joined to the keys, moves the least; `keep_order` sees to it that it lasts.
    """
    return rows.repartition(files, "user_id").sortWithinPartitions(*order)


def keep_order(spark: SparkSession) -> None:
    """From now on sorted rows stay so up to the files."""
    # Or a sort below a join is dropped, as nobody needs it for the join.
    eliminate = "org.apache.spark.sql.catalyst.optimizer.EliminateSorts"
    spark.conf.set("spark.sql.optimizer.excludedRules", eliminate)
    # Or rows that lie by user would be moved anew to be joined by user and held_back.
    spark.conf.set("spark.sql.requireAllClusterKeysForCoPartition", "false")


def candidate_rows(candidates: DataFrame, users: DataFrame, products: DataFrame) -> DataFrame:
    """One row per (user_id, product_id, held_back) of `candidates` whose order is in `users`: keys,
    label, WORDS, ALL_FEATURES, and set.

    `users` (user features, order_id, bought_products) and `products` (product_ratios) are short;
    `candidates` are many, and stay where they are; set_name is a column of one of both. The label
    is whether bought_products holds the product. A candidate without features of its user or
    product is kept, with nulls: `summarize` finds it.
    """
    orders, possible = F.col("user_orders"), F.col("up_possible_order")
    between = F.when(F.col("up_orders") > 1, F.lit(1) / (F.col("up_orders") - 1))
    days_between = (F.col("up_last_day") - F.col("up_first_day")) * between
    orders_between = (F.col("up_last_order") - F.col("up_first_order")) * between
    days_since = F.col("user_period") - F.col("up_last_day")
    days_at_order = days_since + F.col("days_since_prior_order")
    mean_gap = F.col("user_mean_days_since_prior")
    columns = {
        "user_average_basket": F.col("user_total_products") / orders,
        "up_order_rate": F.col("up_orders") / orders,
        "up_orders_since_last_order": orders - F.col("up_last_order"),
        "up_order_rate_since_first_order": F.col("up_orders")
        / (orders - F.col("up_first_order") + 1),
        "up_rate_of_last_5": F.col("up_orders_of_last_5") / F.least(F.lit(5), orders),
        "up_decayed_rate": F.col("up_decayed_orders")
        * (1 - DECAY)
        / (1 - F.pow(F.lit(DECAY), orders)),
        "up_days_since_last": days_since,
        "up_wait_ratio": possible / orders_between,
        "up_days_overdue": days_at_order - days_between,
        "user_wait_ratio": F.when(mean_gap > 0, F.col("days_since_prior_order") / mean_gap),
        "up_days_since_last_at_order": days_at_order,
        "user_aisle_rate": F.col("user_aisle_orders") / orders,
        "days_between_purchases": days_between,
        "days_since_last_purchase": days_at_order,
    }
    is_scored = F.col("set_name") == "scoring"
    label = F.coalesce(F.array_contains("bought_products", F.col("product_id")), F.lit(False))
    columns |= {word: F.when(is_scored, columns[word]) for word in WORDS}
    return (
        candidates.join(users, ["user_id", "held_back"])
        .join(F.broadcast(products), ["product_id", "held_back"], "left")
        .select(
            F.col("user_id").cast("long"),
            F.col("product_id").cast("long"),
            F.col("order_id").cast("long"),
            F.when(~is_scored, label.cast("int")).alias("label"),
            *[
                columns.get(name, F.col(name)).cast("float").alias(name)
                for name in (*WORDS, *ALL_FEATURES)
            ],
            F.col("set_name").alias("set"),
        )
    )


def write_sets(spark: SparkSession, arguments: Arguments) -> dict[str, Any]:
    """Write the four sets below the run; the summary, counted on what was written."""
    run_uri = arguments.run_uri
    user_features = read_table(spark, run_uri, arguments.user_features)
    users_found = user_features.count()  # told by the files' footers
    files = max(FEWEST_FILES, -(-users_found // USERS_OF_A_FILE))
    small = users_found <= MOST_BROADCAST
    targets = orders_to_predict(
        read_table(spark, run_uri, arguments.clean_orders),
        read_table(spark, run_uri, arguments.clean_order_products),
        arguments,
        small=small,
    ).persist()
    users = with_keys(targets.join(user_features, ["user_id", "held_back"], "left"))
    candidates = with_keys(read_table(spark, run_uri, arguments.user_product_features))
    keep_order(spark)
    order = ("user_id", "held_back", "product_id")
    if small:
        # One set after the other: a task that writes them in turns takes a quarter longer.
        of_set = with_keys(targets).select("user_id", "held_back", "set_name")
        candidates = candidates.join(F.broadcast(of_set), ["user_id", "held_back"])
        candidates = by_user(candidates, files, "set_name", *order)
        users = F.broadcast(users.drop("set_name"))
    else:
        # Or rows are sorted anew, by the set that they are written to. With fewer sets than this
        # they are not.
        spark.conf.set("spark.sql.maxConcurrentOutputFileWriters", str(len(SETS) + 1))
        candidates = by_user(candidates, files, *order)
        users = by_user(users, files, "user_id", "held_back").hint("merge")
    rows = candidate_rows(candidates, users, F.broadcast(known_products(spark, arguments)))
    rows.write.mode("overwrite").partitionBy("set").option(
        "parquet.block.size", ROW_GROUP_BYTES
    ).parquet(f"{run_uri}/sets/")
    summary = summarize(spark, arguments, rows.schema)
    nothing = spark.createDataFrame([], rows.drop("set").schema)
    for name in SETS:
        if not summary["rows"][name]:
            nothing.write.parquet(f"{run_uri}/sets/set={name}/")  # one file, with its columns
    return summary


def known_products(spark: SparkSession, arguments: Arguments) -> DataFrame:
    """`product_ratios` of the products as they are now, which the recipe knows, and as they were
    before the orders that are held back, which their history does."""
    now = read_table(spark, arguments.run_uri, "features/product_features")
    before = read_table(spark, arguments.run_uri, arguments.product_history)
    before = before.where(F.col("held_back").isin(*LATER) & (F.col("n") == 1))
    counts = ["product_id", "held_back", "prod_orders", "prod_reorders", *FIRST_AND_SECOND]
    return product_ratios(
        now.withColumn("held_back", F.lit(0)).select(*counts).unionByName(before.select(*counts))
    )


def summarize(spark: SparkSession, arguments: Arguments, schema: StructType) -> dict[str, Any]:
    """The summary (see the top of this file) of the sets as they are stored with this schema.

    Raises ValueError if a row has no features of its user or its product.
    """
    rows = spark.read.schema(schema).parquet(f"{arguments.run_uri}/sets/")
    # Few orders, many rows: one number as a key is quick.
    per_order = rows.groupBy("set", "order_id").agg(
        F.min("user_id").alias("user_id"),
        F.count("*").alias("rows"),
        F.sum("label").alias("positives"),
        F.min(F.when(F.col("user_orders").isNull(), F.col("user_id"))).alias("unknown_user"),
        # Null also where a product's row has no first purchase, though somebody bought it.
        F.min(F.when(F.col("prod_reorder_probability").isNull(), F.col("product_id"))).alias(
            "unknown_product"
        ),
    )
    found = per_order.groupBy("set").agg(
        F.sum("rows").alias("rows"),
        F.countDistinct("user_id").alias("users"),
        F.count("*").alias("orders"),
        F.sum("positives").alias("positives"),
        F.min("unknown_user").alias("unknown_user"),
        F.min("unknown_product").alias("unknown_product"),
    )
    of_set = {row["set"]: row.asDict() for row in found.collect()}  # an empty set is not here
    for name, row in of_set.items():
        for kind in ("user", "product"):
            if row[f"unknown_{kind}"] is not None:
                raise ValueError(
                    f"The {name} set has rows of {kind}_id {row[f'unknown_{kind}']}, which "
                    f"features/{kind}_features/ does not have, or has without a purchase: the "
                    "feature tables are not complete or not of the same run."
                )
    counts = {
        measure: {name: of_set.get(name, {}).get(measure) or 0 for name in sets}
        for measure, sets in MEASURES.items()
    }
    return {
        "run": arguments.run,
        "spark_version": spark.version,
        "validation_percent": arguments.validation_percent,
        "holdout_percent": arguments.holdout_percent,
        "holdout_week": arguments.holdout_week,
        **counts,
    }


def require_both_labels(summary: Mapping[str, Any]) -> None:
    """ValueError if a labelled set is empty or has one kind of label only: nothing to learn."""
    for name in LABELLED_SETS:
        rows, positives = summary["rows"][name], summary["positives"][name]
        if not 0 < positives < rows:
            percents = f"{summary['validation_percent']} and {summary['holdout_percent']}"
            raise ValueError(
                f"The {name} set has {rows} rows, {positives} of them bought again; it needs both "
                f"kinds. Users a set: {json.dumps(summary['users'])}, with {percents} percent for "
                "validation and holdout: take more users or other percentages."
            )


def write_summary(spark: SparkSession, run_uri: str, summary: Mapping[str, Any]) -> None:
    """One line of JSON in one text file below sets/summary/."""
    line = spark.range(1).select(F.lit(json.dumps(summary)).alias("value"))
    line.coalesce(1).write.mode("overwrite").text(f"{run_uri}/sets/summary/")


def main(argv: Sequence[str]) -> None:
    """The job as Glue starts it."""
    # Here, so that the functions above can be used where only Spark is installed.
    from awsglue.context import GlueContext
    from awsglue.job import Job
    from awsglue.utils import getResolvedOptions
    from pyspark.context import SparkContext

    names = ["JOB_NAME", "lake_bucket", "run", "validation_percent", "holdout_percent"]
    names.append("holdout_week")
    told = {part.split("=")[0] for part in argv}
    names += [name for name in OPTIONAL if f"--{name}" in told]
    options = getResolvedOptions(list(argv), names)
    arguments = read_arguments(options)  # before Spark starts: a typing error costs nothing

    glue = GlueContext(SparkContext.getOrCreate())
    spark = glue.spark_session
    # Little is shuffled here (train lines, counts): one partition a core.
    spark.conf.set("spark.sql.shuffle.partitions", str(spark.sparkContext.defaultParallelism))
    job = Job(glue)
    job.init(options["JOB_NAME"], options)

    summary = write_sets(spark, arguments)
    require_both_labels(summary)
    write_summary(spark, arguments.run_uri, summary)
    print(json.dumps(summary))
    job.commit()


if __name__ == "__main__":
    main(sys.argv)
