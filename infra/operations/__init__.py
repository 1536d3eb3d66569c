"""Commands for the person who operates the system."""
