"""The stack: its template, its deployment and its deletion."""
