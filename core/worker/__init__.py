"""The worker process: wires trackers, pose, models, render and publish together and talks to OBS."""
