"""From what a source states to the documents that should exist in Xero."""
