"""The report of a run, read from its files and written as one HTML page."""
