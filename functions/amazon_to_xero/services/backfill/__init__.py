"""Backfills: orders of a past period are read and entered beside the current ones, and never before them."""
