"""What the words mean: samples, steps, pipelines, failures. Pure: no I/O, clock, environment, randomness."""
