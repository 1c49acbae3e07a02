"""What must hold, and how it is searched: judging, drivers, shrinking, reports, command line."""
