"""Names of functions: other names of the same, and what Trino has and this engine lacks."""

from __future__ import annotations

ALIASES = {
    "every": "bool_and",
    "ceil": "ceiling",
    "pow": "power",
    "substring": "substr",
    "rand": "random",
    "dow": "day_of_week",
    "doy": "day_of_year",
    "yow": "year_of_week",
    "week_of_year": "week",
    "day_of_month": "day",
    "char_length": "length",
    "character_length": "length",
}

# Functions that Trino has and this engine does not: the error says which of the two lacks it.
# https://trino.io/docs/current/functions/list.html
KNOWN_TO_TRINO = frozenset(
    """
    acos all_match any_match apply approx_most_frequent approx_set array_average array_first
    array_histogram array_last at_timezone bar beta_cdf bing_tile bit_count bitwise_and_agg
    bitwise_left_shift bitwise_or_agg bitwise_right_shift bitwise_right_shift_arithmetic
    bitwise_xor_agg cardinality char2hexint checksum classify color combinations concat_ws
    contains_sequence convex_hull_agg cosine_distance cosine_similarity current_groups
    current_timezone date_parse entropy evaluate_classifier_predictions features from_base
    from_base32 from_base64url from_big_endian_32 from_big_endian_64 from_encoded_polyline
    from_geojson_geometry from_ieee754_32 from_ieee754_64 from_iso8601_timestamp
    from_iso8601_timestamp_nanos from_unixtime_nanos geometry_from_hadoop_shape
    great_circle_distance hash_counts hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512
    human_readable_seconds inverse_beta_cdf inverse_normal_cdf is_json_scalar jaccard_index
    json_array json_array_contains json_array_get json_exists json_object json_query json_size
    json_value kurtosis learn_classifier line_locate_point listagg luhn_check make_set_digest
    map_entries map_from_entries map_union map_zip_with merge merge_set_digest multimap_agg
    multimap_from_entries murmur3 ngrams none_match normal_cdf normalize now numeric_histogram
    objectid_timestamp parse_data_size parse_datetime parse_duration parse_presto_data_size
    qdigest_agg quantile_at_value quantiles_at_values rand random reduce_agg regexp_extract_all
    regexp_position regexp_split regr_count regr_r2 render rgb sha512 shuffle skewness soundex
    split_to_map split_to_multimap spooky_hash_v2_32 spooky_hash_v2_64 st_area st_contains
    st_distance st_point strrpos tdigest_agg theta_sketch_estimate timestamp_objectid
    timezone_hour timezone_minute to_base to_base32 to_base64url to_big_endian_32
    to_big_endian_64 to_geometry to_ieee754_32 to_ieee754_64 to_iso8601 to_milliseconds
    trim_array typeof url_decode url_encode url_extract_fragment url_extract_host
    url_extract_parameter url_extract_path url_extract_port url_extract_protocol
    url_extract_query uuid value_at_quantile values_at_quantiles wilson_interval_lower
    wilson_interval_upper with_timezone word_stem xxhash64 zip
    """.split()  # noqa: SIM905 - a list of a hundred quoted words reads worse
)
