"""Writes the generated parts of the documentation, and checks all of it against the code."""
