"""The frab schedule format, which conference apps read."""
