"""Orders of a past period that a person has read and entered: which, how far it is, and what it will cost."""
