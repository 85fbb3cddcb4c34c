"""EasyVtuber's own code: what both processes share, OBS's side, and the worker's side."""
