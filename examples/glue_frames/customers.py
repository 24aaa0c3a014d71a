"""A Glue job in Glue's own words: tables of the catalog in, a table of customers out.

Job arguments: `--database`, `--orders` and `--lines` (its tables), `--path` (s3://.../) and
`--table` (what the result is called in the catalog).
"""

import sys

from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.job import Job
from awsglue.transforms import Join, RenameField, SelectFields
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark script uses

NAMES = ["database", "orders", "lines", "path", "table"]


def write_customers(context, database, orders, lines, path, table):
    """A table of user_id, orders and lines, as Parquet; each run adds its rows."""
    read = context.create_dynamic_frame.from_catalog
    placed = SelectFields.apply(
        frame=read(database=database, table_name=orders, transformation_ctx="orders"),
        paths=["order_id", "user_id"],
    )
    # Both sides of a Join keep their key, and two of one name are in each other's way.
    bought = RenameField.apply(
        frame=read(database=database, table_name=lines, transformation_ctx="lines"),
        old_name="order_id",
        new_name="of_order",
    )
    joined = Join.apply(frame1=placed, frame2=bought, keys1=["order_id"], keys2=["of_order"])
    # What Glue has no transform for is done by Spark, in between.
    counted = (
        joined.toDF()
        .groupBy("user_id")
        .agg(F.countDistinct("order_id").alias("orders"), F.count("*").alias("lines"))
        .coalesce(1)
    )
    sink = context.getSink(
        path=path,
        connection_type="s3",
        updateBehavior="UPDATE_IN_DATABASE",
        enableUpdateCatalog=True,
        transformation_ctx="customers",
    )
    sink.setCatalogInfo(catalogDatabase=database, catalogTableName=table)
    sink.setFormat("glueparquet", compression="snappy")
    sink.writeFrame(DynamicFrame.fromDF(counted, context, "customers"))


def main():
    options = getResolvedOptions(sys.argv, ["JOB_NAME", *NAMES])
    context = GlueContext(SparkContext.getOrCreate())
    job = Job(context)
    job.init(options["JOB_NAME"], options)
    write_customers(context, *(options[name] for name in NAMES))
    job.commit()


if __name__ == "__main__":
    main()
