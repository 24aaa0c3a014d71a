// The 18 numbers in the order of a line: names and limits as the API has them, and for people what
// they are called, counted in and worked out from.

const COUNT = 1_000_000_000;

export const GROUPS = [
  { id: "up", title: "This customer and this product", short: "this product" },
  { id: "user", title: "The customer", short: "this customer" },
  { id: "prod", title: "The product, among all customers", short: "all customers" },
];

const divide = (a, b) => (b > 0 ? a / b : undefined);

const field = (name, label, unit, help, low, high, more = {}) => ({
  name, label, unit, help, low, high, group: name.split("_")[0], whole: false, ...more,
});
const whole = { whole: true };
const derived = (formula, from, more = {}) => ({ derived: formula, from, ...more });

export const FIELDS = [
  field("up_orders", "Orders with the product", "orders",
    "How many of the customer's orders held this product.", 0, 100_000, whole),
  field("user_mean_days_since_prior", "Days between orders", "days",
    "On average, from one order of the customer to the next.", 0, 3_660),
  field("user_period", "Customer for", "days",
    "From the customer's first order to the latest.", 0, 36_600),
  field("user_distinct_products", "Different products", "products",
    "How many different products the customer has bought.", 0, COUNT, whole),
  field("user_reorder_ratio", "Customer's repeat share", "0 to 1",
    "Of what the customer bought after the first order: the share bought before.", 0, 1),
  field("user_total_products", "Products in all", "products",
    "Everything the customer has bought, repeats counted each time.", 0, COUNT, whole),
  field("up_average_cart_position", "Place in the cart", "1 = first",
    "When the product goes into the cart, on average. Staples come early.", 0, 100_000),
  field("up_first_order", "First bought in order", "number",
    "1 is the customer's very first order.", 0, 100_000, whole),
  field("user_orders", "Orders in all", "orders",
    "How many orders the customer has placed.", 0, 100_000, whole),
  field("up_last_order", "Last bought in order", "number",
    "The customer's latest order with the product.", 0, 100_000, whole),
  field("prod_orders", "Purchases by everyone", "purchases",
    "How often anybody bought the product.", 0, COUNT, whole),
  field("prod_reorder_probability", "Buyers who came back", "0 to 1",
    "The share of the product's buyers who bought it a second time.", 0, 1),
  field("prod_reorder_times", "Purchases per buyer", "at least 1",
    "How often a buyer of the product buys it, on average.", 1, 100_000),
  field("prod_reorder_ratio", "Product's repeat share", "0 to 1",
    "Of all purchases of the product: the share that were repeats.", 0, 1),
  field("user_average_basket", "Basket size", "products",
    "Products in an order of the customer, on average.", 0, 100_000,
    derived("products in all ÷ orders in all", ["user_total_products", "user_orders"],
      { compute: (row) => divide(row.user_total_products, row.user_orders) })),
  field("up_order_rate", "Share of orders", "0 to 1",
    "Of all the customer's orders: the share with the product.", 0, 1,
    derived("orders with the product ÷ orders in all", ["up_orders", "user_orders"],
      { compute: (row) => divide(row.up_orders, row.user_orders) })),
  field("up_orders_since_last_order", "Orders since the last time", "orders",
    "Orders placed since the customer last bought the product.", 0, 100_000,
    derived("orders in all − last bought in order", ["user_orders", "up_last_order"],
      { ...whole, compute: (row) => row.user_orders - row.up_last_order })),
  field("up_order_rate_since_first_order", "Share since the first time", "0 to 1",
    "Of the orders from the first purchase on: the share with the product.", 0, 1,
    derived("orders with the product ÷ orders since the first", ["up_orders", "user_orders", "up_first_order"],
      { compute: (row) => divide(row.up_orders, row.user_orders - row.up_first_order + 1) })),
];

export const NAMES = FIELDS.map(({ name }) => name);
export const BY_NAME = Object.fromEntries(FIELDS.map((f, index) => [f.name, { ...f, position: index + 1 }]));

// What a model may know of a customer by number beside the 18: nobody fills these in, reasons name them.
const MORE = {
  up_hazard: ["How often they buy it at this point", "0 to 1"],
  up_decayed_orders: ["Orders with it, recent ones counting more", "orders"],
  up_orders_of_last_5: ["Orders with it among the last 5", "orders"],
  up_decayed_30_days: ["Orders with it about the last month", "orders"],
  up_rate_of_last_5: ["Share of the last 5 orders", "0 to 1"],
  up_decayed_90_days: ["Orders with it about the last three months", "orders"],
  up_decayed_rate: ["Share of orders, recent ones counting more", "0 to 1"],
  prod_hazard: ["How often others buy it at this point", "0 to 1"],
  up_days_since_last: ["From its last purchase to the last order", "days"],
  up_wait_ratio: ["Wait for it, against the usual wait", "times"],
  up_days_overdue: ["Overdue by", "days"],
  aisle_hazard: ["How often others buy of its aisle at this point", "0 to 1"],
  user_wait_ratio: ["Time since the last order, against the usual", "times"],
  user_recent_reorder_ratio: ["Repeats in the last 3 orders", "0 to 1"],
  up_days_since_last_at_order: ["Since they last bought it", "days"],
  user_active_share: ["Share of their products bought lately", "0 to 1"],
  user_days_spread: ["How irregularly they order", "days"],
  aisle_reorder_probability: ["Buyers who came back to its aisle", "0 to 1"],
  user_once_share: ["Share of their products tried once", "0 to 1"],
  user_aisle_rate: ["Share of orders with something of its aisle", "0 to 1"],
};

// Of a feature in a reason: {label, unit, about}; undefined where the page does not know it.
export function reason(name) {
  const [label, unit] = MORE[name] ?? [BY_NAME[name]?.label, BY_NAME[name]?.unit];
  const of = name.split("_")[0];
  return label && { label, unit, about: GROUPS.find(({ id }) => id === (of === "aisle" ? "prod" : of)).short };
}

export const EXAMPLES = [
  {
    title: "A weekly staple",
    hint: "bought in 16 of 20 orders",
    line: "16,7.2,136.8,61,0.68,190,2.1,2,20,20,152000,0.72,6.4,0.84,9.5,0.8,0,0.8421052631578947",
  },
  {
    title: "Once in a while",
    hint: "3 of 20 orders, a few ago",
    line: "3,7.2,136.8,61,0.68,190,5.3,6,20,16,24000,0.48,3.1,0.67,9.5,0.15,4,0.2",
  },
  {
    title: "Tried once, long ago",
    hint: "1 of 57 orders, 46 ago",
    line:
      "1,6.67578125,3418,209,0.595703125,514,10.0,11,57,11,1599,0.1498791297340854," +
      "1.2884770346494763,0.22388993120700437,9.017543859649123,0.017543859649122806,46," +
      "0.02127659574468085",
  },
];

// As the API reads a number: digits, no thousands separators, no "nan".
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

export const accepts = ({ low, high, whole: isWhole }) =>
  `${isWhole ? "a whole number" : "a number"} from ${low} to ${high.toLocaleString("en")}`;

// Why the text is no value of the field; "" when it is one.
export function wrongWith(of, text) {
  if (text === "") return `is empty; accepted: ${accepts(of)}.`;
  if (!NUMBER.test(text)) return `is “${text.slice(0, 40)}”, not a number; accepted: ${accepts(of)}.`;
  const value = Number(text);
  const fits = value >= of.low && value <= of.high && (!of.whole || Number.isInteger(value));
  return fits ? "" : `is ${text.slice(0, 40)}; accepted: ${accepts(of)}.`;
}

// What is impossible between the numbers although each alone is possible, in words.
export function contradictions(row) {
  const found = [];
  if (row.up_orders > row.user_orders) found.push("The product was in more orders than the customer has placed.");
  if (row.up_last_order > row.user_orders) found.push("The last order with the product comes after the customer's latest.");
  if (row.up_first_order > row.up_last_order) found.push("The first order with the product comes after the last one with it.");
  if (row.user_distinct_products > row.user_total_products) found.push("There are more different products than products in all.");
  return found;
}
