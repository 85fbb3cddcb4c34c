"""What lies in the host's ``data/obs-scripting/64bit``; imported there only."""
