"""Reconciling stock: Amazon's quantities against Xero's tracked items. It reads both, and changes neither."""
