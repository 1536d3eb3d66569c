"""Amazon Seller Central to Xero: every Amazon fact that matters to the books ends as one document or one failure."""
