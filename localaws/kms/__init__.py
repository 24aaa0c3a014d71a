"""AWS KMS: keys as records, and who may use them."""
