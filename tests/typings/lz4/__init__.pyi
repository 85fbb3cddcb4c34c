"""lz4 4.4.5, as far as it is used here; the package carries no types."""
