"""Pictures that people upload: read, made anew, and kept as files."""
