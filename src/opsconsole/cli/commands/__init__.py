"""One module for each subcommand or family of them; imported when one of them runs."""
