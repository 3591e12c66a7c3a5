"""The program inside every container: stage in, run the step's command, stage out, completion record."""
