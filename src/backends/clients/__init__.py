"""The formats of clients that exist already: what they ask becomes a command or a decision, and what is decided becomes
what they expect to be answered. Pure, one format a module; the server puts them behind routes.
"""
