"""GlueContext: a Spark session, and the sources and sinks of frames.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-glue-context.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pyspark.context import SparkContext
from pyspark.sql import DataFrame, SparkSession, SQLContext

from awsglue.refusal import refuse

if TYPE_CHECKING:
    from awsglue.dynamicframe import DynamicFrame
    from awsglue.objects import MountedObjects
    from awsglue.tables import CatalogTables

JDBC = ("mysql", "postgresql", "oracle", "sqlserver", "redshift", "jdbc", "custom.jdbc")
COLUMNAR = ("parquet", "orc")  # as a connection's type: S3 with this format
KINDS = ("s3", *COLUMNAR, *JDBC, "dynamodb")


class GlueContext(SQLContext):
    """Made of a SparkContext or a session; `spark_session` is the session to work with. What it
    extends is Spark's older entry point: `sql`, `read`, `table`, `tableNames`."""

    def __init__(self, sparkContext: Any = None, **options: Any) -> None:
        for name in options:
            if name not in ("minPartitions", "targetPartitions"):
                refuse(f"GlueContext({name})")
        self.spark_session: SparkSession = SparkSession.builder.getOrCreate()
        context = self.spark_session.sparkContext
        own = sparkContext if isinstance(sparkContext, SparkContext) else context
        super().__init__(own, self.spark_session)
        self.create_dynamic_frame = Reader(
            self.create_dynamic_frame_from_options,
            self.create_dynamic_frame_from_catalog,
            self.create_dynamic_frame_from_rdd,
        )
        self.create_data_frame = Reader(
            self.create_data_frame_from_options, self.create_data_frame_from_catalog
        )
        self.write_dynamic_frame = Writer(
            self.write_dynamic_frame_from_options,
            self.write_dynamic_frame_from_catalog,
            self.write_dynamic_frame_from_jdbc_conf,
        )
        self.write_data_frame = Writer(
            self._frames(self.write_dynamic_frame_from_options),
            self.write_data_frame_from_catalog,
            self._frames(self.write_dynamic_frame_from_jdbc_conf),
        )

    def get_logger(self) -> Any:
        from awsglue.logger import Logger

        return Logger()

    def setTempDir(self, tmpDir: str) -> None:
        """Nothing here stages in it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return refuse(f"GlueContext.{name}")

    # What frames are read from and written to

    def _objects(self) -> MountedObjects:
        from awsglue.objects import MountedObjects

        return MountedObjects(dict(self.spark_session.sparkContext.getConf().getAll()))

    def _catalog(self) -> CatalogTables:
        from awsglue.tables import CatalogTables

        return CatalogTables(self.spark_session, self._objects())

    def purge_s3_path(
        self, s3_path: str, options: Mapping[str, Any] | None = None, transformation_ctx: str = ""
    ) -> None:
        from awsglue.purging import purge_path

        purge_path(self._objects(), s3_path, options or {})

    def purge_table(
        self,
        database: str,
        table_name: str,
        options: Mapping[str, Any] | None = None,
        transformation_ctx: str = "",
        catalog_id: str | None = None,
    ) -> None:
        from awsglue.purging import purge_table

        catalog = self._catalog()
        purge_table(catalog, catalog.table(database, table_name), options or {})

    # Sources

    def create_dynamic_frame_from_catalog(
        self,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: Mapping[str, Any] | None = None,
        catalog_id: str | None = None,
        name_space: str | None = None,
        **options: Any,
    ) -> DynamicFrame:
        from awsglue.dynamicframe import DynamicFrame
        from awsglue.elsewhere import source

        if name_space is not None and database is not None:
            raise Exception("Parameter name_space and database are both specified, choose one.")
        database = database or name_space
        if database is None:
            raise Exception("Parameter name_space or database is missing.")
        if table_name is None:
            raise Exception("Parameter table_name is missing.")
        given = {**options, **(additional_options or {})}
        table = self._catalog().table(database, table_name)
        elsewhere = source(self, table, given, transformation_ctx)
        if elsewhere is not None:
            rows: DynamicFrame = elsewhere.getFrame()
            rows.name = table_name
            return rows
        found = self._catalog().read(table, push_down_predicate, given, transformation_ctx)
        return DynamicFrame(
            found.frame,
            self,
            table_name,
            schema=found.schema,
            stage_errors=found.errors,
            sparse=found.sparse,
        )

    def create_dynamic_frame_from_options(
        self,
        connection_type: str,
        connection_options: Mapping[str, Any] | None = None,
        format: str | None = None,
        format_options: Mapping[str, Any] | None = None,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **options: Any,
    ) -> DynamicFrame:
        source = self.getSource(
            connection_type, format, transformation_ctx, push_down_predicate,
            **{**(connection_options or {}), **options},
        )  # fmt: skip
        if format or format_options:
            source.setFormat(format or connection_type, **(format_options or {}))
        return source.getFrame()

    def create_sample_dynamic_frame_from_catalog(
        self, database: str, table_name: str, num: int, *args: Any, **options: Any
    ) -> DynamicFrame:
        """The first `num` records."""
        options.pop("sample_options", None)  # how much AWS reads for them
        return self.create_dynamic_frame_from_catalog(database, table_name, **options)._first(num)

    def create_sample_dynamic_frame_from_options(
        self, connection_type: str, connection_options: Mapping[str, Any] | None = None,
        num: int = 1000, sample_options: Any = None, format: str | None = None, **options: Any,
    ) -> DynamicFrame:  # fmt: skip
        frame = self.create_dynamic_frame_from_options(
            connection_type, connection_options, format, **options
        )
        return frame._first(num)

    def create_dynamic_frame_from_rdd(
        self, data: Any, name: str, schema: Any = None, sampleRatio: float | None = None
    ) -> DynamicFrame:
        from awsglue.dynamicframe import DynamicFrame

        frame = self.spark_session.createDataFrame(data, schema, sampleRatio)
        return DynamicFrame(frame, self, name)

    def create_data_frame_from_catalog(
        self,
        database: str,
        table_name: str,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: Mapping[str, Any] | None = None,
        catalog_id: str | None = None,
        **options: Any,
    ) -> DataFrame:
        """Of an Iceberg table what Spark's catalog reads; of others the columns as the table says
        with `useCatalogSchema`, which goes with `useSparkDataSource`."""
        from awsglue import lakes
        from awsglue.objects import flag

        table = self._catalog().table(database, table_name)
        given = {**options, **(additional_options or {})}
        if lakes.is_iceberg(table):
            return lakes.read(self.spark_session, table, push_down_predicate, given)
        spark = flag(given.pop("useSparkDataSource", False))
        catalog = flag(given.pop("useCatalogSchema", False))
        if spark and not catalog:
            refuse("useSparkDataSource without useCatalogSchema", "Give both.")
        frame = self.create_dynamic_frame_from_catalog(
            *(database, table_name, redshift_tmp_dir, transformation_ctx, push_down_predicate),
            given,
        )
        return self._catalog().as_described(frame, table) if catalog else frame.toDF()

    def create_data_frame_from_options(self, *args: Any, **options: Any) -> DataFrame:
        return self.create_dynamic_frame_from_options(*args, **options).toDF()

    def getSource(
        self,
        connection_type: str,
        format: str | None = None,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **options: Any,
    ) -> Any:
        if push_down_predicate:
            refuse("push_down_predicate without a catalog's table")
        if connection_type in ("s3", "file", *COLUMNAR):
            from awsglue.sources import S3Source

            own = connection_type if connection_type in COLUMNAR else format
            return S3Source(self, options, transformation_ctx, own)
        if connection_type in JDBC:
            from awsglue.databases import JdbcSource

            return JdbcSource(self, connection_type, options, transformation_ctx)
        if connection_type == "dynamodb":
            from awsglue.items import ItemSource

            return ItemSource(self, options)
        return refuse(f"the connection type {connection_type}", f"It has {', '.join(KINDS)}.")

    get_source = getSource

    def extract_jdbc_conf(self, connection_name: str, catalog_id: str | None = None) -> Any:
        from awsglue.databases import connection

        return connection(self._catalog().client, connection_name)

    # Sinks

    def getSink(
        self,
        connection_type: str,
        format: str | None = None,
        transformation_ctx: str = "",
        **options: Any,
    ) -> Any:
        if connection_type in ("s3", "file", *COLUMNAR):
            from awsglue.sinks import S3Sink

            sink = S3Sink(self, options, transformation_ctx)
            own = connection_type if connection_type in COLUMNAR else format
            if own:
                sink.setFormat(own)
            return sink
        if connection_type in JDBC:
            from awsglue.databases import JdbcSink

            return JdbcSink(self, connection_type, options)
        if connection_type == "dynamodb":
            from awsglue.items import ItemSink

            return ItemSink(self, options)
        return refuse(f"the connection type {connection_type}", f"It has {', '.join(KINDS)}.")

    get_sink = getSink

    def write_dynamic_frame_from_options(
        self,
        frame: Any,
        connection_type: str,
        connection_options: Mapping[str, Any] | None = None,
        format: str | None = None,
        format_options: Mapping[str, Any] | None = None,
        transformation_ctx: str = "",
    ) -> Any:
        """A frame or a collection; what comes back are the errors of the frame."""
        sink = self.getSink(connection_type, None, transformation_ctx, **(connection_options or {}))
        if format:
            sink.setFormat(format, **(format_options or {}))
        return sink.write(frame)

    write_from_options = write_dynamic_frame_from_options

    def write_dynamic_frame_from_catalog(
        self,
        frame: Any,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        additional_options: Mapping[str, Any] | None = None,
        catalog_id: str | None = None,
        name_space: str | None = None,
    ) -> Any:
        from awsglue.sinks import of_table

        if name_space is not None and database is not None:
            raise Exception("Parameter name_space and database are both specified, choose one.")
        if (database or name_space) is None:
            raise Exception("Parameter name_space or database is missing.")
        if table_name is None:
            raise Exception("Parameter table_name is missing.")
        given = dict(additional_options or {})
        return of_table(
            self, str(database or name_space), table_name, given, transformation_ctx
        ).write(frame)

    def write_dynamic_frame_from_jdbc_conf(
        self,
        frame: Any,
        catalog_connection: str,
        connection_options: Mapping[str, Any] | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        catalog_id: str | None = None,
    ) -> Any:
        from awsglue.databases import JdbcSink

        options = {**(connection_options or {}), "connectionName": catalog_connection,
                   "useConnectionProperties": "true"}  # fmt: skip
        return JdbcSink(self, "jdbc", options).write(frame)

    def write_data_frame_from_catalog(
        self, frame: DataFrame, database: str, table_name: str, *args: Any, **options: Any
    ) -> Any:
        """Adds to an Iceberg table by Spark's catalog, to others as a dynamic frame."""
        from awsglue import lakes

        table = self._catalog().table(database, table_name)
        if lakes.is_iceberg(table):
            lakes.append(frame, table, options.get("additional_options") or {})
            return None
        write = self._frames(self.write_dynamic_frame_from_catalog)
        return write(frame, database, table_name, *args, **options)

    def _frames(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """A writer of dynamic frames as one of data frames."""

        def written(frame: DataFrame, *args: Any, **options: Any) -> Any:
            from awsglue.dynamicframe import DynamicFrame

            return write(DynamicFrame.fromDF(frame, self, "frame"), *args, **options)

        return written


class Reader:
    """`create_dynamic_frame.from_catalog` and its like."""

    def __init__(
        self, options: Callable[..., Any], catalog: Callable[..., Any], rdd: Any = None
    ) -> None:
        self.from_options, self.from_catalog, self.from_rdd = options, catalog, rdd

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return refuse(f"GlueContext.create_dynamic_frame.{name}")


class Writer:
    """`write_dynamic_frame.from_options` and its like."""

    def __init__(
        self, options: Callable[..., Any], catalog: Callable[..., Any], jdbc: Callable[..., Any]
    ) -> None:
        self.from_options, self.from_catalog, self.from_jdbc_conf = options, catalog, jdbc

    def __call__(self, frame: Any, *args: Any, **options: Any) -> Any:
        return self.from_options(frame, *args, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return refuse(f"GlueContext.write_dynamic_frame.{name}")


def __getattr__(name: str) -> Any:
    """Scripts import these from here too, where AWS's module has them."""
    if name in ("DynamicFrame", "DynamicFrameCollection"):
        from awsglue import dynamicframe

        return getattr(dynamicframe, name)
    raise AttributeError(f"module 'awsglue.context' has no attribute {name!r}")
