"""Replay: which failures a person or the automatic replay selects, and what becomes of each."""
