"""Pure functions from what is known to what is shown: a `Picture` in, tables and lines out.

Shared by the panes, by ``--output`` and by CSV; nothing here knows a screen, a clock or a backend.
"""
