"""Amazon States Language as a language."""
