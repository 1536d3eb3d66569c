"""Deterministic simulation: the real handlers over fakes of everything outside, under one seed and a virtual clock."""
