"""What queries and tables stand on: Trino's types, values, errors and regular expressions."""
