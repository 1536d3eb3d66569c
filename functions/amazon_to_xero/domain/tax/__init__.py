"""Which tax an order takes: who owes it, which rate, rounding, variances, and proposed rules."""
