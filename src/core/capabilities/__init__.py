"""What the engine can do, one capability a module: its commands, its events, its deciders and its evolvers."""
