"""The all-in-one zip for Windows: made here, and recognised where it was unpacked."""
