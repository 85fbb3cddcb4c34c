"""Inputs: one file per protocol, each a bounded parser behind the same small interface."""
