"""What whoever made the files can do about a broken rule of `sql/checks`."""

from __future__ import annotations

_ONCE = "leave one of the rows, or give the other its own number"
_DIGITS = "write whole numbers in digits alone, and leave no name empty"
_KNOWN = "add the missing row to that table, or correct the number"

ADVICE = {
    "aisles_are_unique": _ONCE,
    "aisles_have_valid_types": _DIGITS,
    "days_since_prior_order_are_in_range": (
        "write the days since the customer's order before, at most 30 (30 or more),"
        " and leave it empty for a first order only"
    ),
    "departments_are_unique": _ONCE,
    "departments_have_valid_types": _DIGITS,
    "order_lines_are_in_range": (
        "write 1 for a product that the customer had bought before, else 0, and count places in the"
        " basket from 1"
    ),
    "order_lines_are_unique": "write a product once an order; is a file there twice?",
    "order_lines_cover_prior_and_train": "add the file with the lines of those orders",
    "order_lines_have_a_known_product": _KNOWN,
    "order_lines_have_an_order": "add the orders of these lines, or leave the lines out",
    "order_lines_have_valid_types": _DIGITS,
    "order_numbers_are_consecutive": (
        "number each customer's orders 1, 2, 3 and so on; is a file of orders missing, or there"
        " twice?"
    ),
    "orders_are_in_range": "count days of the week from 0 to 6, hours from 0 to 23, orders from 1",
    "orders_are_unique": "write an order once; is a file there twice?",
    "orders_have_a_known_eval_set": "write prior, train or test, or leave it empty",
    "orders_have_valid_types": _DIGITS,
    "products_are_unique": _ONCE,
    "products_have_a_department": _KNOWN,
    "products_have_an_aisle": _KNOWN,
    "products_have_valid_types": _DIGITS,
    "some_orders_are_for_training": "mark customers' last orders as train, and earlier ones prior",
    "tables_are_not_empty": "add the rows of this table",
    "train_and_test_orders_come_last": "mark a customer's last order alone as train or test",
    "users_fill_every_set": "take more customers",
}
