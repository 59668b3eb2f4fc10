// Nothing of its own: the target around it owns the headers that all tests precompile.
