"""Colours. Warm rose-blonde and cream, deep plum, one accent: lamp amber."""

# hair: rose-blonde
HAIR_SHINE = "#fffaf4"
HAIR_LIGHT = "#ffe6df"
HAIR_BASE = "#fbc9c4"
HAIR_MID = "#ef9fa8"
HAIR_SHADE = "#d4708f"
HAIR_DEEP = "#9a4274"
HAIR_DARK = "#6e3160"
HAIR_LINE = "#84385a"
HAIR_OUTLINE = "#6b2a4e"
HAIR_TIP = "#a566ab"
HAIR_LINE_SOFT = "#c0607f"

# skin
SKIN = "#ffeadd"
SKIN_LIGHT = "#fff4ec"
SKIN_SHADE = "#f8c5b3"
SKIN_DEEP = "#e79c93"
SKIN_LINE = "#9a5350"
SKIN_LINE_DARK = "#7b3b45"
BLUSH = "#f2797b"

# plum cloth
PLUM_LIGHT = "#9a5f8e"
PLUM_MID = "#74416f"
PLUM = "#5a2f58"
PLUM_SHADE = "#432243"
PLUM_DARK = "#311833"
PLUM_LINE = "#2a132c"

# cream cloth and fur
CREAM_LIGHT = "#fffdf8"
CREAM = "#fdf1e6"
CREAM_SHADE = "#ecd0cc"
CREAM_DEEP = "#cfa3ae"
CREAM_DARK = "#a87890"
CREAM_LINE = "#875069"

# amber accent and gold
AMBER_LIGHT = "#ffe7a3"
AMBER = "#fdbb4e"
AMBER_MID = "#f0933a"
AMBER_SHADE = "#cf6630"
AMBER_DEEP = "#96402f"
AMBER_LINE = "#702e2c"

# eyes
IRIS_TOP = "#34133f"
IRIS_UPPER = "#6f2b73"
IRIS_MIDDLE = "#c0527f"
IRIS_LOWER = "#f79a4d"
IRIS_GLOW = "#ffe08a"
IRIS_RIM = "#3a1440"
PUPIL = "#2a0d31"
LASH = "#43182f"
LASH_WARM = "#8d3b4a"
EYE_WHITE = "#fffbf8"
EYE_WHITE_SHADE = "#d9bfd0"
