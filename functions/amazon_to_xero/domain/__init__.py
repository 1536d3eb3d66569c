"""Pure bookkeeping: what Amazon said, what should stand in Xero. No AWS, no HTTP, no clock."""
