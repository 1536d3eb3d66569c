"""Checks of a stack and a connection on all sides, live: AWS, Amazon, Xero, and what the rows say. They only read.

One module a side; each check yields what it finds. `examination` runs them, and makes a finding of what a side refuses.
"""
