"""The sync state in DynamoDB."""
