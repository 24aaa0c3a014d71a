"""EventBridge: rules, patterns, targets."""
