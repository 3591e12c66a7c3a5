"""Plans: what a definition will do and cost before it runs, what a run has cost, and advice on definitions."""
