"""``python -m models``: the store's command line, with every network held against its contract."""

from __future__ import annotations

import sys

from .contracts import check_contract
from .store.command_line import main
from .store.store import Store

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Store(check=check_contract)))
