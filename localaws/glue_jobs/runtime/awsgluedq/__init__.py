"""Data quality of frames: rulesets in DQDL, evaluated in Spark."""
