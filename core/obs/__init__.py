"""OBS's side: everything that runs inside OBS's own Python. Standard library, obspython and ctypes only.

Nothing here may make OBS wait or write to ``sys.stderr`` (that pops up a window in front of the user).
"""
