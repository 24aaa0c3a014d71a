"""EventBridge Scheduler, and the clock of scheduled rules."""
