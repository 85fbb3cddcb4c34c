"""Hair: back mane, side locks, bangs, shine band."""

from __future__ import annotations

from . import palette as c
from .curves import SIDES, Path, Ribbon, Side, both, centred, outline, pen, shape, taper
from .svgdoc import Svg

# --------------------------------------------------------------------------
# Bangs.  left edge, right edge, tip; relative to the centre line, in picture
# coordinates; listed from back to front.  "under" locks lie in shade.
# --------------------------------------------------------------------------
BANGS = {
    "under_right": {
        "left": [(-6, 74), (-17, 92), (-22, 108)],
        "right": [(-2, 74), (-8, 92), (-13.5, 108)],
        "tip": (-19.0, 121.0),
    },
    "under_left": {
        "left": [(3, 74), (11, 92), (17, 107)],
        "right": [(8, 74), (20, 92), (25.5, 107)],
        "tip": (24.0, 120.0),
    },
    "outer_right": {
        "left": [(-3, 64.6), (-33, 74), (-52, 97), (-55.5, 122), (-51, 140)],
        "right": [(-1, 64.8), (-25, 80), (-40, 102), (-43.5, 124), (-43.5, 140)],
        "tip": (-41.0, 153.5),
    },
    "outer_left": {
        "left": [(1, 64.8), (25, 80), (40, 102), (43.5, 124), (43.5, 140)],
        "right": [(3, 64.6), (33, 74), (52, 97), (55.5, 122), (51, 140)],
        "tip": (41.5, 152),
    },
    "middle_right": {
        "left": [(-2, 65), (-25, 77), (-42, 100), (-46, 120), (-44.5, 130)],
        "right": [(0, 65.2), (-13, 83), (-24, 102), (-31, 117), (-36, 127)],
        "tip": (-41.5, 137),
    },
    "middle_left": {
        "left": [(0, 65.2), (13, 83), (25, 102), (32, 117), (37, 127)],
        "right": [(2, 65), (25, 77), (42, 100), (46, 120), (44.5, 130)],
        "tip": (41.5, 136.5),
    },
    "inner_right": {
        "left": [(-1, 65.2), (-15, 82), (-27, 101), (-31, 114)],
        "right": [(0, 65.5), (-6, 83), (-13, 99), (-20, 112)],
        "tip": (-30.0, 124.5),
    },
    "inner_left": {
        "left": [(0, 65.5), (7, 83), (15, 99), (22, 111)],
        "right": [(1, 65.2), (16, 82), (29, 101), (33, 113)],
        "tip": (33.0, 123.0),
    },
    "centre_left": {
        "left": [(0, 65.5), (0, 84), (3, 104), (7, 118)],
        "right": [(1, 65.5), (9, 83), (13.5, 102), (13, 116)],
        "tip": (8.5, 131),
    },
    "centre": {
        "left": [(-1, 65), (-9, 83), (-12.5, 102), (-10.5, 119)],
        "right": [(1, 65), (5, 83), (6.5, 102), (2.0, 120)],
        "tip": (-5.5, 137.5),
    },
    "strand": {
        "left": [(1, 70), (9.5, 88), (14.5, 108), (14.8, 120)],
        "right": [(2, 70), (11.5, 88), (17.2, 108), (17.4, 120)],
        "tip": (13.6, 132),
    },
}

CAP_HALF = [
    (0, 62.8),
    (22.5, 66.3),
    (42.5, 78.6),
    (56.2, 99.5),
    (62.0, 124),
    (62.5, 150),
    (60, 176, "c"),
    (50, 160),
    (44, 140),
    (38, 118),
    (24, 101),
    (8, 88),
    (0, 86),
]

# (distance from the centre line, y); outer edge, inner edge, tip
SIDE_LOCKS = {
    "rear": {
        "outer": [(58, 120), (65, 150), (66, 178), (68.5, 200), (77, 220)],
        "inner": [(48, 120), (53, 150), (52, 180), (55, 204), (65, 224)],
        "tip": (88, 236),
    },
    "temple": {
        "outer": [(4, 65.3), (34.5, 73.8), (54.6, 98), (60.9, 128), (60.4, 158), (57.0, 184), (59, 208), (65, 226)],
        "inner": [(2, 67), (30, 77), (46, 100), (49, 130), (47, 158), (44.5, 184), (46, 208), (54, 230)],
        "tip": (72, 252),
    },
    "cheek": {
        "outer": [(46, 108), (54, 132), (53.2, 158), (48.5, 188), (50.0, 220), (55.5, 254)],
        "inner": [(41, 108), (41, 132), (39.8, 158), (36.2, 184), (35.5, 216), (41, 254)],
        "tip": (46, 304),
    },
    "wisp": {
        "outer": [(43, 132), (42, 158), (37.8, 182)],
        "inner": [(41, 132), (39.0, 156), (34.0, 179)],
        "tip": (29.5, 201),
    },
}


def bang_ribbons() -> dict[str, Ribbon]:
    return {n: Ribbon(centred(v["left"]), centred(v["right"]), centred([v["tip"]])[0]) for n, v in BANGS.items()}


def cap_path() -> Path:
    return shape(both(CAP_HALF))


def side_ribbons(side: Side) -> dict[str, Ribbon]:
    return {n: Ribbon(side.pts(v["outer"]), side.pts(v["inner"]), side.p(*v["tip"])) for n, v in SIDE_LOCKS.items()}


def shadow_casters() -> list[Path]:
    """Hair shapes moved a little down: they make the shadow on the face."""
    paths = [r.path.moved(0.5, 4.4) for r in bang_ribbons().values()]
    paths.append(cap_path().moved(0, 5))
    for side in SIDES:
        locks = side_ribbons(side)
        paths.append(locks["cheek"].path.moved(-2.2 * side.sign, 3))
        paths.append(locks["wisp"].path.moved(-1.8 * side.sign, 2))
    return paths


def lock_shadows() -> list[Path]:
    """Shadow of the long side locks on the cape."""
    return [side_ribbons(side)[n].path.moved(1.5 * side.sign, 3.5) for side in SIDES for n in ("temple", "cheek")]


def _edge_line(body: Ribbon, u: float, start: float, width: float) -> Path:
    """Pen line on one edge of a lock, fading in from ``start``."""
    return taper(body.edge(u, start, 1.0), pen(width, (0.0, 0.5, 0.9, 1.0, 0.85, 0.35)), step=6)


def _edges(body: Ribbon, start: float, width: float) -> list[Path]:
    return [_edge_line(body, u, start, width) for u in (0, 1)]


# --------------------------------------------------------------------------
# Back hair
# --------------------------------------------------------------------------
BACK_LOCKS = [
    # name, centre line, widths (from far to near)
    ("flip_low", [(66, 280), (86, 330), (106, 366), (121, 392), (142, 404)], [14, 24, 26, 17, 0]),
    ("flip_high", [(52, 130), (61, 170), (69, 200), (80, 223), (97, 231)], [16, 20, 18, 11, 0]),
    (
        "outer",
        [(46, 100), (52, 150), (55, 195), (58, 240), (66, 290), (86, 340), (106, 390), (102, 440), (119, 480)],
        [20, 25, 25, 24, 26, 34, 36, 24, 0],
    ),
    (
        "middle",
        [(34, 120), (46, 200), (54, 280), (72, 350), (88, 412), (78, 456), (90, 490)],
        [30, 34, 36, 40, 34, 20, 0],
    ),
    ("inner", [(14, 130), (32, 240), (50, 340), (64, 410), (56, 452), (62, 482)], [40, 46, 46, 38, 22, 0]),
]


def draw_back_hair(svg: Svg) -> None:
    with svg.group("back_hair"):
        # dark inside of the mane
        inside = shape(
            both([(0, 80, "c"), (50, 92), (57, 150), (56, 210), (62, 300), (76, 380), (60, 420), (0, 430, "c")])
        )
        svg.fill(
            inside,
            svg.linear((0, 100), (0, 420), (0, c.HAIR_DARK), (0.35, "#8c4068"), (1, "#a25a86")),
            name="mane_inside",
        )
        grad = svg.linear(
            (0, 110),
            (0, 486),
            (0, "#98426c"),
            (0.16, "#c4678a"),
            (0.36, "#e08a9c"),
            (0.62, "#df8ea6"),
            (0.80, "#c07ba4"),
            (1, "#8a56a6"),
        )
        for side in SIDES:
            for name, nodes, widths in BACK_LOCKS:
                if name == "flip_high" and side.sign > 0:
                    nodes = [(x - 1.5, y + 13 * i / 4) for i, (x, y) in enumerate(nodes)]
                body = Ribbon.from_centre(side.pts(nodes), widths)
                with svg.group(f"back_{name}_{side.name}"):
                    svg.fill(body.path, grad)
                    svg.fill([body.strip(0.66, 1.0), body.strip(0.38, 0.50, 0.1, 0.97)], "#9a4676", 0.30)
                    svg.fill([body.strip(0.14, 0.25, 0.05, 0.88), body.strip(0.54, 0.60, 0.3, 0.94)], "#ffcfca", 0.42)
                    svg.fill([body.streak(0.33, 0.2, 0.98, 0.9), body.streak(0.70, 0.3, 0.99, 0.9)], "#8f3f70", 0.7)
                    svg.fill(outline(body.path, 1.1), c.HAIR_OUTLINE)


# --------------------------------------------------------------------------
# Front hair
# --------------------------------------------------------------------------
def _front_gradient(svg: Svg) -> str:
    return svg.linear(
        (0, 64),
        (0, 156),
        (0, "#eaa0a4"),
        (0.15, "#f6bfbc"),
        (0.34, c.HAIR_LIGHT),
        (0.52, "#fdd3cc"),
        (0.76, "#f4adae"),
        (1, "#e28798"),
    )


def _edge_dark(svg: Svg) -> str:
    """Darkens the hair toward the outline of the head."""
    return svg.radial((256, 122), 66, (0.62, c.HAIR_SHADE, 0), (0.86, c.HAIR_SHADE, 0.25), (1, c.HAIR_SHADE, 0.6))


def draw_side_locks(svg: Svg) -> None:
    grad = svg.linear(
        (0, 104),
        (0, 304),
        (0, "#f6bfbc"),
        (0.2, c.HAIR_LIGHT),
        (0.45, c.HAIR_BASE),
        (0.70, "#ea98a8"),
        (0.86, "#cb84a4"),
        (1, c.HAIR_TIP),
    )
    rear = svg.linear((0, 104), (0, 240), (0, "#d8838f"), (0.4, "#eca2a5"), (0.8, "#d87f99"), (1, "#c06f98"))
    top = svg.linear(
        (0, 64),
        (0, 252),
        (0, "#e4989c"),
        (0.14, "#f2b5b4"),
        (0.30, c.HAIR_BASE),
        (0.46, "#fbd0ca"),
        (0.62, c.HAIR_BASE),
        (0.84, "#ea98a8"),
        (1, "#cf7f9f"),
    )
    for side in SIDES:
        with svg.group(f"side_locks_{side.name}"):
            for name, body in side_ribbons(side).items():
                with svg.group(f"lock_{name}_{side.name}"):
                    svg.fill(body.path, {"rear": rear, "temple": top}.get(name, grad))
                    _shade_side_lock(svg, name, body)


def _shade_side_lock(svg: Svg, name: str, body: Ribbon) -> None:
    if name == "temple":
        svg.fill([body.strip(0.70, 1.0, 0.15), body.strip(0.0, 0.16, 0.15)], c.HAIR_SHADE, 0.40)
        svg.fill(body.strip(0.26, 0.40, 0.46, 0.95), c.HAIR_LIGHT, 0.75)
        svg.fill(body.streak(0.5, 0.52, 0.99, 0.8), c.HAIR_LINE_SOFT, 0.8)
        # the upper outer edge is the outline of the head: no second line there
        edges = [_edge_line(body, 0, 0.58, 1.0), _edge_line(body, 1, 0.1, 0.85)]
    elif name == "cheek":
        svg.fill([body.strip(0.70, 1.0), body.strip(0.0, 0.20)], c.HAIR_SHADE, 0.36)
        svg.fill(body.strip(0.32, 0.46, 0.35, 0.94), c.HAIR_SHINE, 0.65)
        svg.fill(body.streak(0.56, 0.45, 0.99, 0.8), c.HAIR_LINE_SOFT, 0.8)
        edges = _edges(body, 0.0, 0.95)
    elif name == "rear":
        svg.fill(body.strip(0.55, 1.0), c.HAIR_SHADE, 0.5)
        svg.fill(body.streak(0.42, 0.2, 0.98, 0.85), c.HAIR_LINE_SOFT, 0.9)
        edges = _edges(body, 0.0, 1.0)
    else:
        svg.fill(body.strip(0.6, 1.0), c.HAIR_SHADE, 0.35)
        edges = _edges(body, 0.0, 0.8)
    svg.fill(edges, c.HAIR_LINE)


SHINE = {
    # lock: (t, length, seed, drift)
    "outer_right": (0.40, 0.10, 3, 0.0),
    "outer_left": (0.40, 0.10, 5, 0.0),
    "middle_right": (0.44, 0.15, 7, 0.04),
    "middle_left": (0.44, 0.15, 9, -0.04),
    "inner_right": (0.50, 0.19, 11, 0.03),
    "inner_left": (0.50, 0.19, 13, -0.03),
    "centre": (0.45, 0.15, 17, 0.0),
    "centre_left": (0.48, 0.14, 19, 0.0),
}


# where the pen line of a lock fades in
LINE_START = {"outer": 0.16, "middle": 0.26, "inner": 0.34, "centre": 0.2, "under": 0.3, "strand": 0.3}


def _shade_bang(svg: Svg, name: str, body: Ribbon) -> None:
    kind = name.split("_")[0]
    flip = name.endswith("_left") and kind != "centre"

    def across(u):  # mirrored locks: count from the outer edge
        return 1 - u if flip else u

    def strip(a, b, t0, t1):
        return body.strip(min(across(a), across(b)), max(across(a), across(b)), t0, t1)

    if kind == "under":
        svg.fill(body.path, c.HAIR_SHADE, 0.45)
    elif kind != "strand":
        svg.fill(strip(0.0, 0.20, 0.50, 1.0), c.HAIR_SHADE, 0.36)
        svg.fill(strip(0.80, 1.0, 0.42, 1.0), c.HAIR_SHADE, 0.30)
    if name in SHINE:
        t, length, seed, drift = SHINE[name]
        glow = body.shine(t, length * 1.7, seed + 1, 3.2, drift=drift)
        core = body.shine(t, length * 1.45, seed, 3.3, u0=0.10, u1=0.90, drift=drift, cover=0.60)
        svg.fill(glow, c.HAIR_SHINE, 0.5)
        svg.fill(core, "#fffdf8", 0.85)
    if kind in ("outer", "middle"):
        low = [body.streak(across(0.40), 0.58, 0.99, 0.8), body.streak(across(0.68), 0.64, 0.98, 0.7)]
        svg.fill(low, c.HAIR_LINE_SOFT, 0.9)
        svg.fill(body.streak(across(0.45), 0.10, 0.33, 0.7), c.HAIR_LINE_SOFT, 0.6)
        svg.fill(strip(0.48, 0.62, 0.58, 0.95), c.HAIR_SHINE, 0.55)
    elif name in ("centre", "inner_right", "inner_left"):
        svg.fill(body.streak(across(0.45), 0.64, 0.98, 0.75), c.HAIR_LINE_SOFT, 0.85)
    svg.fill(_edges(body, LINE_START[kind], 0.9), c.HAIR_LINE)


def draw_front_hair(svg: Svg) -> None:
    grad, dark = _front_gradient(svg), _edge_dark(svg)
    cap = cap_path()
    with svg.group("front_hair"):
        with svg.group("hair_cap"):
            svg.fill(cap, grad)
            svg.fill(cap, dark)
            svg.fill(cap, c.HAIR_SHADE, 0.35)
        draw_side_locks(svg)
        for name, body in bang_ribbons().items():
            with svg.group(f"bang_{name}"):
                svg.fill(body.path, grad)
                svg.fill(body.path, dark)
                _shade_bang(svg, name, body)
        with svg.group("hair_roots"):
            for x, y, w in (
                (-34, 84, 1.0),
                (-20, 80, 0.8),
                (-9, 84, 0.7),
                (6, 82, 0.8),
                (17, 82, 0.7),
                (33, 84, 1.0),
                (-27, 79, 0.6),
                (26, 78, 0.6),
            ):
                nodes = [(x * 0.12, 65.0), (x * 0.55, 64.5 + (y - 64.5) * 0.30), (x, y)]
                svg.fill(taper(centred(nodes), pen(w, (0.5, 1.0, 0.0))), "#cf7488", 0.8)
        with svg.group("hair_outline"):
            edge = [(-60, 176), (-62.5, 150), (-62, 124), (-56.2, 99.5), (-42.5, 78.6), (-22.5, 66.3), (0, 62.8)]
            edge += [(-x, y) for x, y in reversed(edge[:-1])]
            svg.fill(taper(centred(edge), pen(1.2, (0.1, 0.9, 1, 0.9, 1, 0.9, 0.1)), step=6), c.HAIR_OUTLINE)
