"""Credentials of Amazon and Xero as a person gives them, checked live before they are stored."""
