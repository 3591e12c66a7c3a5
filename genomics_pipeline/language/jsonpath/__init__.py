"""JSONPath: paths, reference paths, payload templates, intrinsic functions, and the fields that are written in it."""
