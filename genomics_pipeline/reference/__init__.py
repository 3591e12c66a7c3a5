"""Reference genomes: FASTA files, indexes and intervals."""
