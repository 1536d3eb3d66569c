"""Use cases: take notices, read Amazon, record facts, move Xero there. They know ports, never an SDK."""
