// The 18 numbers in the order of the line: what the API calls them, and what they mean.
export const FIELDS = [
  ["up_orders", "orders in which the customer bought the product"],
  ["user_mean_days_since_prior", "days between the customer's orders, on average"],
  ["user_period", "days from the customer's first order to the last"],
  ["user_distinct_products", "different products the customer bought"],
  ["user_reorder_ratio", "share of the customer's later purchases that were repeats (0 to 1)"],
  ["user_total_products", "products the customer bought in all"],
  ["up_average_cart_position", "place of the product in the customer's cart, on average"],
  ["up_first_order", "number of the first order that held the product"],
  ["user_orders", "orders of the customer"],
  ["up_last_order", "number of the last order that held the product"],
  ["prod_orders", "purchases of the product by everyone"],
  ["prod_reorder_probability", "share of the product's buyers who bought it a second time (0 to 1)"],
  ["prod_reorder_times", "purchases of the product per buyer, at least 1"],
  ["prod_reorder_ratio", "share of the product's purchases that were repeats (0 to 1)"],
  ["user_average_basket", "products in an order of the customer, on average"],
  ["up_order_rate", "share of the customer's orders that held the product (0 to 1)"],
  ["up_orders_since_last_order", "orders since the customer last bought the product"],
  ["up_order_rate_since_first_order", "the same share, counted from the first purchase on (0 to 1)"],
].map(([name, meaning]) => ({ name, meaning }));

export const EXAMPLE =
  "1,6.67578125,3418,209,0.595703125,514,10.0,11,57,11,1599,0.1498791297340854," +
  "1.2884770346494763,0.22388993120700437,9.017543859649123,0.017543859649122806,46," +
  "0.02127659574468085";
