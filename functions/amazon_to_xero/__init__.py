"""Amazon Seller Central to Xero: every Amazon fact that matters to the books ends as one Xero document or one visible failure."""
