"""The AWS API on 127.0.0.1, backed by engines that do the work; knows nothing of the product."""
