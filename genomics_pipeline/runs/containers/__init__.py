"""Images of the steps, and jobs in containers."""
