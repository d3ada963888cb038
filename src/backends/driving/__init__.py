"""Driving: has drivers stop the services of a stop, sees whether they have, and goes on until they do.

In the keeper, with or without a database; and in ``stop --local``, where nothing else is alive.
"""
