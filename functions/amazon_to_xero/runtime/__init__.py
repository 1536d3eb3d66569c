"""What ties the services to AWS: settings, registry of capabilities, composition root, handlers, logs, privacy."""
