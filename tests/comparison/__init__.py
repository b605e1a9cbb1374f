"""Records everything that the application serves, so that two versions of the code can be compared byte for byte."""
