"""Mothlight: an original VTuber character drawn entirely with code."""
