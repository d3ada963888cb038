"""Views say what is known, never more; each is a function from facts to rows."""
