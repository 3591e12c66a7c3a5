"""Reference genomes: FASTA files, their indexes, and the intervals that a cohort is called over."""
