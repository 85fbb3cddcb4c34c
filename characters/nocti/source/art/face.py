"""Face, eyes, brows, nose and mouth. Symmetric, looking straight ahead."""

from __future__ import annotations

import math

from . import palette as c
from .geometry import CENTRE_X, ellipse_points, mirror, off_axis

# -- measures (512 px picture) ------------------------------------------
CHIN = (256.0, 190.5)
NECK_PIVOT = (256.0, 200.0)
EYE_OFFSET, EYE_Y = 24.3, 149.0
EYE_HALF = (14.0, 13.0)
IRIS_SHIFT = (-0.4, 0.9)  # towards the nose, down
IRIS_R = (9.8, 12.6)
BROW_OFFSET, BROW_Y = 23.5, 127.4
NOSE = (256.4, 167.2)
MOUTH = (256.0, 176.6)
MOUTH_HALF = 6.6

# right half of the face, from the forehead down to the chin
_FACE_HALF = [
    (0, 84),
    (26, 88),
    (41, 104),
    (45.0, 128),
    (44.6, 146),
    (42.2, 158.5),
    (35.8, 170.4),
    (25.0, 180.8),
    (12.8, 187.8),
    (4.6, 190.3),
]


def face_outline():
    right = off_axis(_FACE_HALF)
    chin = [(CHIN[0], CHIN[1] + 0.2)]
    return right + chin + list(reversed(mirror(right)))[:-1]


def draw_neck(layer, canvas):
    g = layer.group("neck")
    half = [(11.6, 170), (11.4, 188), (12.2, 198), (18, 204.5), (29, 211), (44, 219), (52, 232), (48, 262)]
    right = off_axis(half)
    neck = right + list(reversed(mirror(right)))
    neck = [(*p[:2], 1) if i in (0, len(neck) - 1) else p for i, p in enumerate(neck)]
    g.shape(neck, canvas.linear((0, 186), (0, 240), [(0, "#f9d5c8"), (0.4, c.SKIN), (1, "#fbdccf")]))
    inside = g.clip(neck, name="neck_shadow")
    # shadow thrown by the chin: soft edge first, then the core
    drop = off_axis(
        [
            (-22, 180, 1),
            (22, 180, 1),
            (15, 195),
            (11.6, 203.5),
            (3.4, 209.4, 1),
            (-3.5, 206),
            (-11.8, 201.5),
            (-16, 195),
        ]
    )
    inside.shape(drop, c.SKIN_SHADE)
    core = off_axis([(-22, 178, 1), (22, 178, 1), (14, 192.5), (9, 197.5), (-1, 199.2), (-10, 196.5), (-14, 192)])
    inside.shape(core, c.SKIN_DEEP, opacity=0.75)
    # collar bones and the hollow of the throat
    for pts in ([(4, 218.6), (10, 217.0), (18, 217.4)],):
        g.ink(off_axis(pts), 0.75, c.SKIN_DEEP, (0.3, 0.7))
        g.ink(mirror(off_axis(pts)), 0.75, c.SKIN_DEEP, (0.3, 0.7))
    edge = off_axis([(11.5, 184), (11.6, 193), (12.6, 199), (17, 204)])
    g.ink(edge, 0.95, c.LINE_SKIN, (0.1, 0.5))
    g.ink(mirror(edge), 0.95, c.LINE_SKIN, (0.1, 0.5))


def draw_face(layer, canvas, hair_shadows):
    """``hair_shadows``: closed shapes of the fringe, already shifted."""
    g = layer.group("face")
    outline = face_outline()
    g.shape(outline, canvas.linear((236, 100), (276, 192), [(0, c.SKIN_LIGHT), (0.55, c.SKIN), (1, "#fde0d4")]))
    inside = g.clip(outline, name="face_shade")
    # the far cheek turns away from the light
    cheek = off_axis(
        [(47, 120, 1), (43.4, 146), (40.6, 158), (34.5, 169.5), (24.5, 179.5), (11, 187.4), (3, 192, 1), (50, 196, 1)]
    )
    inside.shape(cheek, c.SKIN_SHADE, opacity=0.55)
    warm = canvas.radial((0, 0), 1, [(0, "#f6b3a6", 0.34), (1, "#f6b3a6", 0)], "translate(256 189) scale(17 6)")
    inside.ellipse(256, 189, 17, 6, warm)
    fringe = g.clip(outline, name="fringe_shadow")
    tone = canvas.linear((0, 96), (0, 156), [(0, "#d98f9d"), (0.55, "#e9a9ab"), (1, "#f3beb6")])
    whole = fringe.group(opacity=0.72)
    for points in hair_shadows:
        whole.shape(points, tone)
    # jaw line, heavier at the cheeks and below the chin
    half = [(45.2, 138), *_FACE_HALF[4:]]
    jaw = off_axis(half + [(0, 190.8)] + [(-x, y) for x, y in reversed(half)])
    g.ink(jaw, 0.95, c.LINE_SKIN, (0.12, 0.12), least=0.35)


def draw_blush(layer, canvas):
    g = layer.clip(face_outline(), name="blush")
    for side in (-1, 1):
        x, y = CENTRE_X + side * 31, 166.5
        glow = canvas.radial(
            (0, 0),
            1,
            [(0, c.BLUSH, 0.50), (0.45, c.BLUSH, 0.30), (1, c.BLUSH, 0)],
            f"translate({x} {y}) scale(12.5 6.6)",
        )
        g.ellipse(x, y, 12.5, 6.6, glow)
        for k in (-1, 0, 1):
            px = x + k * 3.6
            g.ink([(px + 0.9, y - 1.7), (px - 0.9, y + 1.5)], 0.7, "#e8686f", (0.4, 0.4), opacity=0.55)


def draw_nose(layer, canvas):
    g = layer.group("nose")
    x, y = NOSE
    g.shape(
        [(x - 0.4, y - 2.2, 1), (x + 1.2, y + 0.1), (x + 0.5, y + 1.1), (x - 0.8, y + 0.9)], c.SKIN_DEEP, opacity=0.55
    )
    g.ink([(x + 0.9, y + 0.3), (x + 0.3, y + 1.2), (x - 0.9, y + 1.1)], 0.6, c.LINE_SKIN, (0.4, 0.4))


def draw_mouth(layer, canvas):
    g = layer.group("mouth")
    x, y = MOUTH
    h = MOUTH_HALF
    glow = canvas.radial(
        (0, 0), 1, [(0, "#e88a86", 0.45), (1, "#e88a86", 0)], f"translate({x} {y + 4.2}) scale(5.2 1.9)"
    )
    g.ellipse(x, y + 4.2, 5.2, 1.9, glow, id="lower_lip")
    line = [(x - h, y - 0.9), (x - h * 0.62, y + 0.75), (x, y + 1.7), (x + h * 0.62, y + 0.75), (x + h, y - 0.9)]
    g.ink(line, 1.0, c.LINE_SKIN_DARK, (0.35, 0.35), least=0.3, id="lip_line")


# ------------------------------------------------------------------ eyes
# Local eye shape: x grows towards the ear, y downwards, origin = centre.
_WHITE = [
    (-12.8, 2.8, 1),
    (-11.4, -3.2),
    (-7.2, -8.8),
    (0.0, -11.4),
    (7.2, -10.2),
    (11.8, -5.8),
    (13.6, 0.4, 1),
    (12.4, 5.8),
    (8.4, 10.7),
    (1.4, 12.9),
    (-6.2, 11.4),
    (-10.8, 7.4),
]
_LASH_UPPER = [
    (-13.2, 4.0, 1),
    (-12.5, -2.6),
    (-8.8, -8.9),
    (-1.4, -12.6),
    (5.8, -12.7),
    (11.0, -10.4),
    (14.6, -7.6),
    (17.2, -6.2),
    (19.6, -6.0, 1),
    (17.2, -3.8),
    (15.0, -0.8),
    (13.6, 4.6, 1),
    (12.9, -0.2),
    (10.8, -4.6),
    (6.6, -8.3),
    (0.0, -10.1),
    (-6.7, -8.1),
    (-11.2, -2.8),
]
_CREASE = [(-10.6, -12.0), (-5.6, -15.4), (1.2, -17.0), (8.4, -15.8), (13.2, -12.6)]
_LASH_LOWER = [(-7.0, 12.4), (-1.0, 14.3), (4.6, 13.9), (10.0, 10.9), (13.2, 5.8)]


def _place(points, side, centre):
    return [(centre[0] + side * p[0], centre[1] + p[1], *p[2:]) for p in points]


def eye_centre(side):
    """side = +1: the character's left eye (right in the picture)."""
    return (CENTRE_X + side * EYE_OFFSET, EYE_Y)


def iris_centre(side):
    x, y = eye_centre(side)
    return (x + side * IRIS_SHIFT[0], y + IRIS_SHIFT[1])


def draw_eye(layer, canvas, side):
    eye = "eye_left" if side > 0 else "eye_right"
    g = layer.group(eye)
    centre = eye_centre(side)
    white = _place(_WHITE, side, centre)
    cx, cy = centre

    w = g.group(f"{eye}_white")
    w.shape(
        white,
        canvas.linear(
            (0, cy - 13), (0, cy + 13), [(0, "#dfe4f4"), (0.35, "#ffffff"), (0.8, "#ffffff"), (1, "#e9eef8")]
        ),
    )
    shade = w.clip(white)
    shade.shape(
        _place(
            [
                (-16, -16, 1),
                (18, -16, 1),
                (16, 3, 1),
                (12.4, -0.6),
                (8, -5.8),
                (0.2, -7.4),
                (-6.2, -5.2),
                (-10.2, 1.4),
                (-14.4, 6.4, 1),
            ],
            side,
            centre,
        ),
        "#a9b0d8",
        opacity=0.8,
    )

    ix, iy = iris_centre(side)
    rx, ry = IRIS_R
    iris = g.clip(white, name=f"{eye}_iris")
    iris.ellipse(ix, iy, rx, ry, "#0f1238")
    iris.ellipse(
        ix,
        iy + 0.15,
        rx - 0.75,
        ry - 0.75,
        canvas.linear(
            (0, iy - ry),
            (0, iy + ry),
            [
                (0.0, "#151a52"),
                (0.24, "#1d2f86"),
                (0.47, "#1f69c0"),
                (0.66, "#27b2d0"),
                (0.82, "#6be6d6"),
                (1, "#d2fff0"),
            ],
        ),
    )
    # fine rays round the pupil
    rays = iris.group(opacity=0.5)
    for k in range(19):
        a = math.radians(2 + k * (176 / 18))
        inner, outer = 0.46, 0.80 if k % 2 else 0.93
        rays.ink(
            [
                (ix + math.cos(a) * rx * inner, iy + math.sin(a) * ry * inner),
                (ix + math.cos(a) * rx * outer, iy + math.sin(a) * ry * outer),
            ],
            0.55,
            "#c8fff6" if k % 2 else "#1a4a9c",
            (0.1, 0.9),
        )
    # lantern light gathered at the foot of the iris
    glow = canvas.radial(
        (0, 0),
        1,
        [(0, "#fff3b0", 1), (0.42, "#ffd467", 0.95), (0.78, "#ffb347", 0.45), (1, "#ffb347", 0)],
        f"translate({ix:.2f} {iy + ry * 0.72:.2f}) scale({rx * 0.74:.2f} {ry * 0.30:.2f})",
    )
    iris.ellipse(ix, iy + ry * 0.72, rx * 0.74, ry * 0.30, glow)
    # pupil
    iris.ellipse(
        ix,
        iy - 0.4,
        rx * 0.44,
        ry * 0.46,
        canvas.linear((0, iy - 7), (0, iy + 6), [(0, "#090b26"), (0.6, "#101a52"), (1, "#1b3b8a")]),
    )
    iris.ellipse(ix, iy - 1.2, rx * 0.27, ry * 0.30, "#070820")
    # shade from the lid, following the lash
    lidded = iris.clip(ellipse_points(ix, iy, rx, ry, 16))
    lidded.shape(
        _place(
            [
                (-16, -16, 1),
                (18, -16, 1),
                (15, 0, 1),
                (10.6, -2.4),
                (6.6, -5.6),
                (0.2, -6.9),
                (-5.6, -5.3),
                (-9.4, -1.6),
                (-14, 2, 1),
            ],
            side,
            centre,
        ),
        "#0c0f36",
        opacity=0.62,
    )
    # bright rim crescent, lower outer side
    iris.ink(
        [
            (ix - rx * 0.80, iy + ry * 0.36),
            (ix - rx * 0.55, iy + ry * 0.72),
            (ix, iy + ry * 0.90),
            (ix + rx * 0.55, iy + ry * 0.72),
            (ix + rx * 0.80, iy + ry * 0.36),
        ],
        1.0,
        "#f2fffb",
        (0.45, 0.45),
        opacity=0.75,
    )

    # highlights: the light is the same for both eyes, so not mirrored
    hi = g.group(f"{eye}_highlight")
    hi.shape(
        [
            (ix - 6.6, iy - 5.4),
            (ix - 4.7, iy - 9.0),
            (ix - 1.6, iy - 8.8),
            (ix - 0.9, iy - 5.8),
            (ix - 2.6, iy - 2.4),
            (ix - 5.4, iy - 2.2),
        ],
        "#ffffff",
    )
    hi.ellipse(ix + 4.9, iy + 4.3, 1.9, 2.3, "#ffffff", opacity=0.95)
    hi.ellipse(ix + 2.6, iy + 7.6, 0.85, 1.0, "#ffffff", opacity=0.9)
    hi.ellipse(
        ix + 5.4,
        iy - 4.4,
        1.7,
        2.7,
        canvas.linear((0, iy - 7), (0, iy - 1), [(0, "#9fd6ff", 0.75), (1, "#6fb7ff", 0.15)]),
    )

    lower = g.group(f"{eye}_lash_lower")
    lower.ink(_place(_LASH_LOWER, side, centre), 1.25, "#4d2742", (0.6, 0.25))
    lower.ink(_place([(11.0, 9.6), (13.2, 10.4), (14.4, 11.4)], side, centre), 0.9, "#4d2742", (0.0, 0.9))

    upper = g.group(f"{eye}_lash_upper")
    x0, x1 = cx - side * 14, cx + side * 19
    upper.shape(
        _place(_LASH_UPPER, side, centre),
        canvas.linear((x0, 0), (x1, 0), [(0, "#4a2540"), (0.3, "#1a1433"), (0.75, "#171230"), (1, "#43203c")]),
    )
    upper.ink(
        _place([(-9.6, -4.6), (-5.4, -8.4), (0.3, -9.8), (6.4, -8.5), (10.6, -4.9)], side, centre),
        0.75,
        "#8c4a63",
        (0.4, 0.4),
        opacity=0.8,
    )
    for lash, width in (
        ([(8.8, -11.0), (13.0, -12.0), (17.2, -11.2)], 1.9),
        ([(14.2, -0.8), (16.3, 0.0), (18.2, -0.2)], 1.3),
    ):
        upper.ink(_place(lash, side, centre), width, "#1d1434", (0.0, 1.0), least=0.03)
    crease = g.group(f"{eye}_lid_crease")
    crease.ink(_place(_CREASE, side, centre), 0.85, "#9a5560", (0.5, 0.45))


def draw_brow(layer, canvas, side):
    g = layer.group("brow_left" if side > 0 else "brow_right")
    pts = [(-11.4, 1.6), (-6.0, -0.5), (0.5, -1.9), (7.0, -1.4), (12.0, 1.4)]
    line = _place(pts, side, (CENTRE_X + side * BROW_OFFSET, BROW_Y))
    g.ink(
        line,
        2.5,
        canvas.linear((line[0][0], 0), (line[-1][0], 0), [(0, "#3a4c86"), (0.4, "#222b5c"), (1, "#222b5c")]),
        (0.4, 0.75),
        least=0.07,
    )


def measures():
    """Where things are, for rigs: pixels of the 512 px picture."""

    def eye(side):
        x, y = eye_centre(side)
        ix, iy = iris_centre(side)
        return {
            "centre": [round(x, 2), round(y, 2)],
            "half_width": EYE_HALF[0],
            "half_height": EYE_HALF[1],
            "iris_centre": [round(ix, 2), round(iy, 2)],
            "iris_radius": [IRIS_R[0], IRIS_R[1]],
        }

    def brow(side):
        return {"centre": [round(CENTRE_X + side * BROW_OFFSET, 2), BROW_Y], "half_width": 11.7, "half_height": 2.4}

    return {
        "chin": list(CHIN),
        "neck_pivot": list(NECK_PIVOT),
        "face_outline_box": [211.0, 84.0, 301.0, 190.8],
        "eye_left": eye(1),
        "eye_right": eye(-1),
        "brow_left": brow(1),
        "brow_right": brow(-1),
        "mouth": {"centre": list(MOUTH), "half_width": MOUTH_HALF},
        "nose": list(NOSE),
    }
