"""Changes of the schema, oldest first, each named by when it may run.

``pre_…`` only adds, so that programs of the version before go on working beside it: it runs when the first program of
the new version opens the database. ``post_…`` takes away what only they needed: it runs once none of them is left.
"""
