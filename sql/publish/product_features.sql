-- One row per product, of the run that was published last; the run's own table stays beside it.
CREATE OR REPLACE VIEW ${Database}.product_features AS
SELECT *
FROM ${Database}.${product_features_table}
