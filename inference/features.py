"""The 18 numbers that the API takes: names, meaning and the values that can occur.

The one table: the checks of a request and the OpenAPI document are made from it, and the endpoint
has its order from here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """One feature and the values that can occur in it."""

    name: str
    meaning: str
    low: float
    high: float
    whole: bool = False
    nullable: bool = False  # cannot be known of every customer: null, or an empty cell

    @property
    def accepts(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        null = ", or null" if self.nullable else ""
        return f"{kind} from {self.low:g} to {self.high:.12g}{null}"


MANY = 1_000_000_000  # a generous end for counts: it keeps out typing slips, not big shops

# In the order of a CSV line. A count starts at 0, a ratio lies between 0 and 1.
FEATURES = (
    Feature("up_orders", "Orders in which the customer bought the product", 0, 100_000, whole=True),
    Feature(
        "user_mean_days_since_prior",
        "Days between two orders of the customer, on average; null after a single order",
        *(0, 3_660),
        nullable=True,
    ),
    Feature("user_period", "Days from the customer's first order to the last", 0, 36_600),
    Feature(
        "user_distinct_products", "Different products the customer bought", 0, MANY, whole=True
    ),
    Feature(
        "user_reorder_ratio",
        "Share of the customer's purchases, after the first order, that were repeats; null when "
        "there are none",
        *(0, 1),
        nullable=True,
    ),
    Feature("user_total_products", "Products the customer bought in all", 0, MANY, whole=True),
    Feature(
        "up_average_cart_position",
        "Place at which the product went into the customer's cart, on average; 1 is the first",
        *(0, 100_000),
    ),
    Feature(
        "up_first_order",
        "Number of the customer's first order with the product; 1 is the first order of all",
        *(0, 100_000),
        whole=True,
    ),
    Feature("user_orders", "Orders of the customer", 0, 100_000, whole=True),
    Feature(
        "up_last_order",
        "Number of the customer's latest order with the product",
        *(0, 100_000),
        whole=True,
    ),
    Feature("prod_orders", "Purchases of the product by all customers", 0, MANY, whole=True),
    Feature(
        "prod_reorder_probability",
        "Share of the product's buyers who bought it a second time",
        *(0, 1),
    ),
    Feature(
        "prod_reorder_times",
        "Purchases of the product for each of its buyers: 1 + reorders / first purchases",
        *(1, 100_000),
    ),
    Feature("prod_reorder_ratio", "Share of the product's purchases that were repeats", 0, 1),
    Feature(
        "user_average_basket",
        "Products in an order of the customer, on average: user_total_products / user_orders",
        *(0, 100_000),
    ),
    Feature(
        "up_order_rate",
        "Share of the customer's orders that held the product: up_orders / user_orders",
        *(0, 1),
    ),
    Feature(
        "up_orders_since_last_order",
        "Orders since the customer last bought the product: user_orders - up_last_order",
        *(0, 100_000),
        whole=True,
    ),
    Feature(
        "up_order_rate_since_first_order",
        "Share of the orders since the first with the product that held it: "
        "up_orders / (user_orders - up_first_order + 1)",
        *(0, 1),
    ),
)
POSITIONS = {feature.name: position for position, feature in enumerate(FEATURES, start=1)}
NAMES = tuple(POSITIONS)
# Of customers by number: the days in which a prediction is told. No model takes them.
WORDS = ("days_between_purchases", "days_since_last_purchase")

# What a model may take beside them, of customers by number: nobody sends these to the API.
MORE_MEANINGS = {
    "up_hazard": "How often the customer bought the product after just so many orders without it",
    "up_decayed_orders": "Orders with the product, recent ones counting more",
    "up_orders_of_last_5": "Orders with the product among the customer's last 5",
    "up_decayed_30_days": "Orders with the product, those of the last month counting most",
    "up_rate_of_last_5": "Share of the customer's last 5 orders that held the product",
    "up_decayed_90_days": "Orders with the product, those of the last three months counting most",
    "up_decayed_rate": "Share of the customer's orders that held the product, recent ones counting "
    "more",
    "prod_hazard": "How often customers buy the product after just so many orders without it",
    "up_days_since_last": "Days from the last purchase of the product to the last order",
    "up_wait_ratio": "Orders since the last purchase, as a multiple of the usual for this customer",
    "up_days_overdue": "Days by which the next purchase of the product is overdue",
    "aisle_hazard": "How often products of this aisle are bought after just so many orders without",
    "user_wait_ratio": "Days since the customer's last order, as a multiple of their usual gap",
    "user_recent_reorder_ratio": "Share of repeats in the customer's last 3 orders",
    "up_days_since_last_at_order": "Days since the customer last bought the product",
    "user_active_share": "Share of the customer's products that they bought in their last 5 orders",
    "user_days_spread": "How irregularly the customer orders, in days",
    "aisle_reorder_probability": "Share of buyers who bought a product of this aisle a second time",
    "user_once_share": "Share of the customer's products that they bought only once",
    "user_aisle_rate": "Share of the customer's orders that held something of this aisle",
}
