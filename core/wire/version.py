"""The two numbers that both processes compare when they meet."""

VERSION = "0.1.0"
"""Release of the whole project (semantic versioning)."""

PROTOCOL = 1
"""Control-pipe language. Raised only when an older peer could misunderstand a message."""
