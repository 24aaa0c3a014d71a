"""The pipeline's Lambda functions: each a `handler(event, context)`, self-contained.

They run on Lambda's Python 3.11 with the AWS-managed awswrangler layer (boto3, pandas, pyarrow).
"""
