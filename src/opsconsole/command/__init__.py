"""Command mode: a line of text becomes an intention, and while it is typed it says what it would come to.

`verbs`, `grammar`, `completion` and `preview` are pure. Only `carrying` touches the console, and it does what keys do:
a command that changes something opens the prompt that its key opens, so that no typed line ever confirms anything.
"""
