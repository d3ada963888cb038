"""The faces of the engine: console, command line and demo fleet."""

__version__ = "0.1.0"
