"""Running the real template on this machine: the tools, the local cloud, and the run that uses them."""
