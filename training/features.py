"""The columns of a training set, and the order in which the endpoint takes them."""

LABEL = "label"
KEYS = ("user_id", "product_id", "order_id")
# Of the set to score alone: days, for the words in which a prediction is told. No model takes them.
WORDS = ("days_between_purchases", "days_since_last_purchase")

# The wire format: the 18 numbers of a text/csv row, in this order. Further features may follow
# in a set; the model takes them by name, and a row of 18 leaves them missing.
WIRE_FEATURES = (
    "up_orders",
    "user_mean_days_since_prior",
    "user_period",
    "user_distinct_products",
    "user_reorder_ratio",
    "user_total_products",
    "up_average_cart_position",
    "up_first_order",
    "user_orders",
    "up_last_order",
    "prod_orders",
    "prod_reorder_probability",
    "prod_reorder_times",
    "prod_reorder_ratio",
    "user_average_basket",
    "up_order_rate",
    "up_orders_since_last_order",
    "up_order_rate_since_first_order",
)
