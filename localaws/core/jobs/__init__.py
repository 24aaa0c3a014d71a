"""What runs after its call was answered: a table of kinds, one runner, a protocol of workers."""
