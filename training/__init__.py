"""What runs inside the training job: Parquet rows in; a model, a threshold, an evaluation out.

Self-contained: the standard library plus what the SageMaker XGBoost container 3.0-5 provides
(Python 3.10, xgboost 3.0.5, pyarrow, scikit-learn, numpy). The folder ships as sourcedir.tar.gz.
"""
