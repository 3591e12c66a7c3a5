"""A Slurm cluster through its commands."""
