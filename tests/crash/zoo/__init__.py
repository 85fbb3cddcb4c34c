"""Small workers that misbehave, each in one way, and one that does not."""
