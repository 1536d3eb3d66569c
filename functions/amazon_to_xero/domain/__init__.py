"""Pure bookkeeping. No AWS, no HTTP, no clock."""
