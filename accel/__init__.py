"""Runtimes that networks can run on. The built-in rig needs none of them."""
