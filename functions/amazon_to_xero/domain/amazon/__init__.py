"""What Amazon states, and its records."""
