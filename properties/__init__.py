"""What must hold, and how it is searched: properties, histories, drivers, shrinking, reports, the
command line.
"""
