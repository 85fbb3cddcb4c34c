"""Colours. Night navy + sea teal + ice white; lantern gold is the accent."""

# line art (never pure black)
LINE_HAIR = "#10152f"
LINE_HAIR_SOFT = "#18214a"
LINE_SKIN = "#8a4750"
LINE_SKIN_DARK = "#5d2c3e"
LINE_CLOTH = "#2b3560"
LINE_CLOTH_SOFT = "#7f8dbb"
LINE_DARK = "#0c1026"

# skin
SKIN_LIGHT = "#fff3ea"
SKIN = "#ffe8dc"
SKIN_SHADE = "#f4c3b9"
SKIN_DEEP = "#dc9aa0"
BLUSH = "#ff8e8e"

# hair
HAIR_ROOT = "#20264f"
HAIR_DARK = "#283263"
HAIR = "#2f457d"
HAIR_MID = "#356a9b"
HAIR_TEAL = "#3aa0b0"
HAIR_TIP = "#86ecd9"
HAIR_SHADE = "#141738"
HAIR_GLOW = "#6cc0e6"

# cloth
ICE = "#f4f8ff"
ICE_SHADE = "#c9d5f0"
ICE_DEEP = "#9fb0dc"
AQUA = "#63dbd9"
AQUA_DEEP = "#2f95b8"
NAVY = "#27315f"
NAVY_DEEP = "#181f43"
NAVY_LIGHT = "#3c4b86"
TOP = "#222a54"
TOP_DEEP = "#151a3a"

# the accent
GOLD = "#ffc24d"
GOLD_LIGHT = "#fff0b3"
GOLD_DEEP = "#e8873a"
