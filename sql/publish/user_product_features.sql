-- One row per (user_id, product_id), of the run that was published last; the run's own table stays beside it.
CREATE OR REPLACE VIEW ${Database}.user_product_features AS
SELECT *
FROM ${Database}.${user_product_features_table}
WHERE held_back = 0
