"""A program that embeds Python as OBS does on Windows, for the tests of OBS's side. ``build.py`` makes it, on Linux.

``obs64.exe`` (``obs_host.c``) has OBS's manners: no console, its rules for finding DLLs, Python loaded at run time from
a folder, a thread that draws, a UI thread that does what was queued. ``obs.dll`` (``libobs.c``) is what
``core.obs.libobs`` calls. The folder ``scripting`` goes to ``data/obs-scripting/64bit``, where OBS has ``obspython``.
"""
