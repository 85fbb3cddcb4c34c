"""Families of characters: what turns a pose into a picture."""
