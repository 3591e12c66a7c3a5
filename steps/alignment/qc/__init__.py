"""Quality control of alignments from one pass over the sorted stream."""
