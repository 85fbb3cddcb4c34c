"""OBS as found on this computer: where it is, whether it runs, its settings files, and asking it things."""
