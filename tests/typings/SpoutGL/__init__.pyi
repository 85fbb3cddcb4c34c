"""SpoutGL 0.1.1 as its Windows wheel really is; the wheel itself carries no types.

Arguments are positional only, except where a name is given without a closing ``/``.
"""

from . import enums as enums, helpers as helpers
from ._spoutgl import SenderInfo as SenderInfo, SpoutReceiver as SpoutReceiver, SpoutSender as SpoutSender
