"""A Hive metastore over the Data Catalog: Spark SQL sees the tables that Athena and crawlers see.

Spark takes its tables from a Hive metastore, spoken to by Thrift; on AWS a client class stands in
its place. Here a server in the run's own process answers, with the keys of the job's role.
"""
