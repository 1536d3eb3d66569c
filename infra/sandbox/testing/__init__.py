"""In-process clients of the sandboxes and sample data, for tests.

They live beside the sandboxes, so that every test directory can import them under one name.
"""
