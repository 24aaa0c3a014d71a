"""Tables of databases, by JDBC: Spark's reader and writer with the options that Glue has.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-jdbc-home.html. The
driver is the job's own (`--extra-jars`), or one that this machine has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pyspark.sql import functions as F  # noqa: N812

from awsglue.bookmarks import BOOKMARK
from awsglue.dynamicframe import DynamicFrame
from awsglue.places import column
from awsglue.refusal import refuse, warn

Json = dict[str, Any]
# Drivers by the beginning of the URL, the first that is there.
DRIVERS = {
    "jdbc:postgresql:": ("org.postgresql.Driver",),
    "jdbc:mysql:": ("com.mysql.cj.jdbc.Driver", "org.mariadb.jdbc.Driver"),
    "jdbc:mariadb:": ("org.mariadb.jdbc.Driver",),
    "jdbc:sqlserver:": ("com.microsoft.sqlserver.jdbc.SQLServerDriver",),
    "jdbc:oracle:": ("oracle.jdbc.OracleDriver",),
    "jdbc:derby:": ("org.apache.derby.jdbc.EmbeddedDriver",),
}
# Of Glue's own: where its work is spread, or what AWS needs and a database here does not.
_OWN = ("url", "user", "username", "password", "dbtable", "database", "connectionName",
        "useConnectionProperties", "redshiftTmpDir", "customJdbcDriverS3Path", "hashfield",
        "customJdbcDriverClassName", "hashexpression", "hashpartitions", "jobBookmarkKeys",
        "jobBookmarkKeysSortOrder", "className", "sampleQuery", "enablePartitioningForSampleQuery",
        "bulkSize", "aws_iam_role")  # fmt: skip


def connection(client: Any, name: str) -> Json:
    """url, user, password and vendor of a connection of Glue's. Raises EntityNotFoundException."""
    kept = client.get_connection(Name=name)["Connection"]["ConnectionProperties"]
    url = kept.get("JDBC_CONNECTION_URL")
    if not url:
        engine = kept["JDBC_ENGINE"].lower()
        url = f"jdbc:{engine}://{kept['HOST']}:{kept['PORT']}"
    user, password = kept.get("USERNAME"), kept.get("PASSWORD")
    if kept.get("SECRET_ID"):
        import boto3

        secret = boto3.client("secretsmanager").get_secret_value(SecretId=kept["SECRET_ID"])
        found = json.loads(secret["SecretString"])
        user, password = found["username"], found["password"]
    vendor = url.split(":")[1]
    found = {"url": url, "fullUrl": url, "user": user, "password": password, "vendor": vendor}
    if driver := kept.get("JDBC_DRIVER_CLASS_NAME"):
        found["customJdbcDriverClassName"] = driver
    return found


class Database:
    """Where the options point."""

    def __init__(self, context: Any, kind: str, options: Mapping[str, Any]) -> None:
        self.context = context
        own = {name.lower(): name for name in _OWN}  # scripts write dbTable too
        given = {own.get(name.lower(), name): value for name, value in options.items()}
        if given.get("connectionName"):
            known = connection(context._catalog().client, given["connectionName"])
            given = {**known, **given}
        self.url = str(given.get("url") or "")
        if not self.url:
            raise ValueError(f"A {kind} connection needs a url, or a connectionName.")
        database = given.get("database")
        if database and self.url.count("/") == 2:
            self.url = f"{self.url}/{database}"
        self.table = given.get("dbtable")
        self.given = given
        rest = {k: v for k, v in given.items() if k not in (*_OWN, "fullUrl", "vendor")}
        self.properties = {
            **rest, "url": self.url, "user": given.get("user") or given.get("username"),
            "password": given.get("password"), "driver": self._driver(),
        }  # fmt: skip
        self.properties = {k: str(v) for k, v in self.properties.items() if v is not None}

    def _driver(self) -> str:
        named = self.given.get("customJdbcDriverClassName") or self.given.get("className")
        beginning = next((each for each in DRIVERS if self.url.startswith(each)), None)
        tried = (named,) if named else DRIVERS.get(beginning or "", ())
        jvm = self.context.spark_session.sparkContext._jvm
        for name in tried:
            try:
                jvm.java.lang.Class.forName(
                    name, True, jvm.java.lang.Thread.currentThread().getContextClassLoader()
                )
            except Exception:
                continue
            return str(name)
        return refuse(
            f"{self.url.partition('//')[0]} without its driver",
            f"Looked for {', '.join(tried) or 'none'}; give the driver's jar with --extra-jars.",
        )


class JdbcSource:
    """A table, or a query, of a database."""

    def __init__(
        self, context: Any, kind: str, options: Mapping[str, Any], transformation_ctx: str
    ) -> None:
        self._database = Database(context, kind, options)
        self._transformation_ctx = transformation_ctx

    def setFormat(self, format: str | None, **options: Any) -> None:
        """A database has no format."""

    def getFrame(self) -> DynamicFrame:
        database = self._database
        query = database.given.get("sampleQuery")
        if not query and not database.table:
            raise ValueError("A JDBC source needs dbtable.")
        what = {"query": query} if query else {"dbtable": database.table}
        reader = database.context.spark_session.read.format("jdbc")
        frame = self._new(reader.options(**{**database.properties, **what}).load())
        return DynamicFrame.fromDF(frame, database.context, str(database.table or "query"))

    def _new(self, frame: Any) -> Any:
        """The rows that no committed run has read, by the key that bookmarks go by."""
        keys = self._database.given.get("jobBookmarkKeys")
        if not BOOKMARK.active or not self._transformation_ctx:
            return frame
        if not keys:
            return refuse("a JDBC bookmark without jobBookmarkKeys", "Name the key's column.")
        names = [keys] if isinstance(keys, str) else list(keys)
        if len(names) > 1:
            return refuse("jobBookmarkKeys of several columns", "It takes one.")
        if self._database.given.get("jobBookmarkKeysSortOrder", "asc").lower() != "asc":
            return refuse("jobBookmarkKeysSortOrder desc", "It takes asc.")
        key, last = column(names[0]), BOOKMARK.largest(self._transformation_ctx)
        if last is not None:
            frame = frame.where(key > F.lit(last).cast(frame.schema[names[0]].dataType))
        top = frame.agg(F.max(key).cast("string")).collect()[0][0]
        BOOKMARK.keep(self._transformation_ctx, top if top is not None else last)
        return frame if top is None else frame.where(key <= F.lit(top).cast(
            frame.schema[names[0]].dataType))  # fmt: skip


class JdbcSink:
    """A table of a database: made when it is not there, else added to."""

    def __init__(self, context: Any, kind: str, options: Mapping[str, Any]) -> None:
        statements = [each for each in ("preactions", "postactions") if options.get(each)]
        options = {name: value for name, value in options.items() if name not in statements}
        self._database = Database(context, kind, options)
        if statements and self._database.url.startswith("jdbc:redshift:"):
            refuse(" and ".join(statements))
        if statements:
            warn(f"{' and '.join(statements)} are Redshift's alone: not run, as on AWS.")
        if not self._database.table:
            raise ValueError("A JDBC target needs dbtable.")

    def setFormat(self, format: str, **options: Any) -> None:
        """A database has no format."""

    def write(self, frame: Any, info: str = "") -> Any:
        database = self._database
        writer = frame.toDF().write.format("jdbc").mode("append")
        writer.options(**{**database.properties, "dbtable": database.table}).save()
        errors = frame.errorsAsDynamicFrame()
        errors.name = f"{frame.name}_errors"
        return errors

    writeFrame = write
