"""What people change in Xero of our documents: found once a day, and decided by a person."""
