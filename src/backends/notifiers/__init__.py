"""Notifiers: the ways by which people and programs outside hear of what happens in a fleet.

A *channel* is a notifier with a name, as the configuration has it. The journal is its outbox: how far it has been told
stands in the database, and `backends.keeper.notifying` tells it the rest.
"""
