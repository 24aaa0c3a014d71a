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
    "parse_presto_data_size": "parse_data_size",
}

# Functions that Trino has and this engine does not: the error says which of the two lacks it.
# https://trino.io/docs/current/functions/list.html (entropy, regr_avgx and its sisters, set_agg,
# set_union and strrpos are on Presto's pages and on none of Trino's.)
KNOWN_TO_TRINO = frozenset(
    """
    approx_most_frequent approx_set bar bing_tile bing_tile_at bing_tile_coordinates
    bing_tile_polygon bing_tile_quadkey bing_tile_zoom_level bing_tiles_around char2hexint classify
    color convex_hull_agg current_groups empty_approx_set entropy evaluate_classifier_predictions
    features from_encoded_polyline from_geojson_geometry from_iso8601_timestamp_nanos
    from_unixtime_nanos geometry_from_hadoop_shape geometry_invalid_reason geometry_nearest_points
    geometry_to_bing_tiles geometry_union geometry_union_agg great_circle_distance hash_counts
    intersection_cardinality jaccard_index learn_classifier line_interpolate_point
    line_interpolate_points line_locate_point make_set_digest merge merge_set_digest
    numeric_histogram objectid_timestamp qdigest_agg quantile_at_value quantiles_at_values regr_avgx
    regr_avgy regr_count regr_r2 regr_sxx regr_sxy regr_syy render rgb set_agg set_union
    simplify_geometry spatial_partitioning spatial_partitions spooky_hash_v2_32 spooky_hash_v2_64
    st_area st_asbinary st_astext st_boundary st_buffer st_centroid st_contains st_convexhull
    st_coorddim st_crosses st_difference st_dimension st_disjoint st_distance st_endpoint
    st_envelope st_envelopeaspts st_equals st_exteriorring st_geometries st_geometryfromtext
    st_geometryn st_geometrytype st_geomfrombinary st_geomfromkml st_interiorringn st_interiorrings
    st_intersection st_intersects st_isclosed st_isempty st_isring st_issimple st_isvalid st_length
    st_linefromtext st_linestring st_multipoint st_numgeometries st_numinteriorring st_numpoints
    st_overlaps st_point st_pointn st_points st_polygon st_relate st_startpoint st_symdifference
    st_touches st_union st_within st_x st_xmax st_xmin st_y st_ymax st_ymin strrpos tdigest_agg
    theta_sketch_estimate timestamp_objectid to_encoded_polyline to_geojson_geometry to_geometry
    to_spherical_geography value_at_quantile values_at_quantiles
    """.split()  # noqa: SIM905 - a list of a hundred quoted words reads worse
)
