"""What Task states call: handlers of their resources on this machine."""
