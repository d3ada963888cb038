"""A fleet behind HTTP: everything that `core.ports.Backend` promises, kept by a server.

The state is folded here from the server's journal, so whatever looks at it asks nobody, as it does next to a database.
"""
