"""The command line: its verbs and options, what it prints, and its exit codes."""
