"""What ties the services to AWS: settings, logs and metrics, the SQS batch, the composition root."""
