-- One row per line of a prior order, of the run that was published last; the run's own table stays beside it.
CREATE OR REPLACE VIEW ${Database}.order_products_prior AS
SELECT *
FROM ${Database}.${prior_lines_table}
