"""Posting: bringing requested documents to Xero, effectively once, within its limits."""
