"""Adapters: the ports over Amazon, Xero, DynamoDB and other AWS services."""
