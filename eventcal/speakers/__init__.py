"""People on stage."""
