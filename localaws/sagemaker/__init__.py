"""Amazon SageMaker as localaws has it: XGBoost training in script mode, models and endpoints."""
