"""Machine learning transforms of AWS Glue: importable, refused when used."""
