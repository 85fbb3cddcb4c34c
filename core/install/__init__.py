"""Everything behind ``install_plugin.py``: setting up, starting, examining and removing. Standard library, Python
3.8."""
