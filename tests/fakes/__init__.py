"""Orders, books and fakes for tests."""
