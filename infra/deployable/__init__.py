"""Build the one deployable that every function of the stack runs."""
