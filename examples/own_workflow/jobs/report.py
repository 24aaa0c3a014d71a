"""The best product of every day, as JSON lines below reports/<run>/."""

import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import Window
from pyspark.sql.functions import desc, row_number

arguments = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket", "run"])
context = GlueContext(SparkContext.getOrCreate())
job = Job(context)
job.init(arguments["JOB_NAME"], arguments)

folder = f"s3://{arguments['bucket']}"
daily = context.spark_session.read.parquet(f"{folder}/daily/{arguments['run']}/")
order = Window.partitionBy("day").orderBy(desc("revenue"), "product")
best = daily.withColumn("rank", row_number().over(order)).where("rank = 1").drop("rank")
best.orderBy("day").coalesce(1).write.json(f"{folder}/reports/{arguments['run']}/")

job.commit()
