"""Images of steps, and jobs in containers of this machine."""
