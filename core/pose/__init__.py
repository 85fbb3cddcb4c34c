"""From what a tracker saw to the 45 values a model is posed by."""
