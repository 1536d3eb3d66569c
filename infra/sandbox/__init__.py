"""Local stand-ins for Amazon's Selling Partner API and for Xero's API, for tests, simulation and local runs."""
