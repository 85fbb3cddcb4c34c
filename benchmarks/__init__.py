"""One command per figure: ``python3 install_plugin.py bench NAME [--json FILE]``. Names beginning with _ are shared
parts."""
