"""HTTP itself: errors and problem details, conditional requests, encodings, URLs."""
