"""One door for setting up, starting, examining and removing EasyVtuber for OBS. Standard library only.

python3 install_plugin.py run        everything a fresh machine needs, ending with the avatar moving in OBS
python3 install_plugin.py test       everything the tests need, ending with all of them run
python3 install_plugin.py doctor     what is right and what is wrong
python3 install_plugin.py --help     the rest
"""

import sys

if sys.version_info < (3, 8):  # noqa: UP036 - the check is for those who are below the minimum
    sys.exit(
        "This needs Python 3.8 or newer to begin with (it finds a 3.11 to 3.13 for the worker by itself); "
        "this is {}.{}. Install a newer Python from python.org and run it with that one.".format(*sys.version_info[:2])
    )

from core.install.main import main

if __name__ == "__main__":
    sys.exit(main())
