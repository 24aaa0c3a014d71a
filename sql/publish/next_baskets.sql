-- One row per (user_id, product_id), of the run that was published last; the run's own table stays beside it.
CREATE OR REPLACE VIEW ${Database}.next_baskets AS
SELECT *
FROM ${Database}.next_baskets_${run}
