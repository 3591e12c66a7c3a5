"""Domain vocabulary: samples, steps, pipelines, failures, run layout, AWS limits. Pure: no I/O, clock, randomness."""
