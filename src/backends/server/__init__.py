"""The server: one fleet's engine room behind HTTP, for consoles, gates and clients that exist already.

Nothing here is imported by a command that must start fast; `serve` of the command line loads it.
"""
