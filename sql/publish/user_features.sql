-- One row per user, of the run that was published last; the run's own table stays beside it.
CREATE OR REPLACE VIEW ${Database}.user_features AS
SELECT *
FROM ${Database}.${user_features_table}
WHERE held_back = 0
