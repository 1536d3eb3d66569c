"""Replay: open failures are processed again, through the queues and handlers of their capabilities."""
