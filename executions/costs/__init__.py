"""What a run costs on AWS: before it (`of_plan`), from its history (`of_history`), from its audit
record (`of_record`), by one dated price table (`prices.json`). Estimates, by public list prices.

These files ship with nothing: the functions' package has the modules beside this folder.
"""

from executions.costs.of_history import Estimates, estimate, of_query
from executions.costs.prices import PRICES

__all__ = ["PRICES", "Estimates", "estimate", "of_query"]
