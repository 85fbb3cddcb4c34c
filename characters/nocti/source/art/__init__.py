"""Nocti, drawn part by part."""
