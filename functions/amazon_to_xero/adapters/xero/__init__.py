"""Xero's Accounting API and token endpoint."""
