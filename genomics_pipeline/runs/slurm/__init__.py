"""Runs on this machine whose jobs run on the nodes of a Slurm cluster."""
