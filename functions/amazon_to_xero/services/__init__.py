"""Use cases over ports: take notices, read, record, plan and post. They know no SDK."""
