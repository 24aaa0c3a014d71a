"""One provider a resource type."""
