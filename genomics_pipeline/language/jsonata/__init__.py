"""JSONata: expressions, the functions that Step Functions adds, and the fields that are written in it."""
