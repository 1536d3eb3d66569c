"""What exists in Xero: documents, lines, numbers, contacts, the organisation."""
