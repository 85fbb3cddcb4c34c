"""From poses to finished frames."""
