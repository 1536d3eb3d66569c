"""SQS, EventBridge, Parameter Store and Secrets Manager."""
