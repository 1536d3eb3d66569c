"""Run the real template on this machine: the tools, the local cloud, and the commands that use it."""
