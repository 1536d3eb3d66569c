"""Planning: which documents each source asks for, and their requests."""
