"""The tests, in folders named by kind: what is true of the product, and how each claim is held."""
