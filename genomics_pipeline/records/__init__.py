"""The records that a run leaves behind: the one reader and writer of each."""
