"""What happens on this machine: runs, their jobs, containers and faults."""
