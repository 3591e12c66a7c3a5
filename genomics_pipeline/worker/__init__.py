"""The program in every container: it stages in, runs the step's command, stages out and writes completion records."""
