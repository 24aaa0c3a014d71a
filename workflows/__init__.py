"""The order of the states."""
