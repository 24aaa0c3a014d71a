"""Scripts that Glue writes: from a graph of nodes, from a mapping of columns, and read back."""
