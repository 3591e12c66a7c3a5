"""JSONata: expressions, the functions that Step Functions adds, and the fields of JSONata states."""
