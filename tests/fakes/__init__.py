"""Orders, books and fakes made up for tests."""
