"""A live fleet to try everything on: real worker processes, a keeper, and an incident that plays by itself.

The workers (`worker`) import `opsgate` alone, as anybody's workers would.
"""
