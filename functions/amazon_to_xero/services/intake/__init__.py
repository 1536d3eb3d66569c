"""Intake: notices, reads from Amazon within its quota, sweeps, and the records they leave."""
