"""Pages for people: rendered here, from the same data and kept like the lists; they work without scripts."""
