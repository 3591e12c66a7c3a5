"""JSONPath: paths, reference paths, payload templates, intrinsic functions, and the fields of JSONPath states."""
