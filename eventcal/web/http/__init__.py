"""HTTP support: errors, problem details, conditional requests, content encodings and URLs."""
