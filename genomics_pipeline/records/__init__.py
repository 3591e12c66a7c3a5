"""Records in the files of a run, each with its only reader and writer."""
