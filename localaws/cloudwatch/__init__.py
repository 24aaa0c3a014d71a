"""CloudWatch metrics: those that the local services measure themselves."""
