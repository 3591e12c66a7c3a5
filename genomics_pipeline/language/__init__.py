"""Amazon States Language: its documents, query languages, error names and validation rules, without any I/O."""
