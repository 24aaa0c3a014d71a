"""What answers: `serve` runs in the SageMaker endpoint, `api` in the Lambda before it.

Self-contained files: `serve` needs numpy and xgboost (the XGBoost container has them), `api` the
standard library and boto3.
"""
