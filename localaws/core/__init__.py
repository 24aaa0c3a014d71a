"""What every local service shares: requests, errors, storage, processes, time."""

import os

# moto reads the account once, at import: a visible "local" account in every ARN.
os.environ.setdefault("MOTO_ACCOUNT_ID", "000000000000")
