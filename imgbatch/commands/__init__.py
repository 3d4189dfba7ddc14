"""The subcommands of the terminal command, a file for each group."""
