@echo off
rem Takes back what install.bat put into OBS and onto this computer. Scenes, characters and calibrations stay.
setlocal EnableExtensions DisableDelayedExpansion
set "EASYVTUBER_COMMAND=uninstall"
"%~dp0install.bat" %*
