"""Pipeline to Amazon States Language: generation, checks of AWS's limits, canonical JSON. Pure."""
