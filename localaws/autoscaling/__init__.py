"""Application Auto Scaling: targets and policies, as records."""
