"""The command line: one thin function for each subcommand, over the same engine as the console.

Start-up is part of the interface, so nothing here is imported before it is needed: the list of commands imports no
command, and ``check``, ``status`` and ``stop`` run on `opsgate` and Click alone.
"""
