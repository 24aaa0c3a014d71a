"""The console: start, watch and understand executions. Knows the AWS API and nothing else."""
