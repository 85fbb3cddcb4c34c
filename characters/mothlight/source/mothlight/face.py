"""Face, neck and features."""

from __future__ import annotations

import math

from . import palette as c
from .curves import (
    SIDES,
    Path,
    Side,
    both,
    centred,
    ellipse,
    line,
    outline,
    pen,
    shape,
    sub_line,
    taper,
)
from .svgdoc import Svg

# --- measures (pixels at 512) ---------------------------------------------
EYE_DX = 21.3
EYE_Y = 147.0
IRIS_DX = -0.5
IRIS_DY = 0.6
IRIS_RX = 10.2
IRIS_RY = 12.3
BROW_DX = 22.0
BROW_Y = 124.6
MOUTH_Y = 175.6
NOSE_Y = 166.0
MOUTH_HALF = 6.4
NECK_PIVOT_Y = 198.0

FACE_HALF = [
    (0, 84),
    (26, 89),
    (38.5, 108),
    (40.6, 132),
    (39.4, 150),
    (36.0, 164.6),
    (26.4, 177.4),
    (11.8, 187.8),
    (4.0, 191.5),
    (0, 191.9),
]


def face_path() -> Path:
    return shape(both(FACE_HALF))


def neck_path() -> Path:
    return shape(
        both(
            [
                (0, 172, "c"),
                (13, 172, "c"),
                (12.2, 186),
                (12.0, 198),
                (14.0, 208),
                (24, 216),
                (36, 222, "c"),
                (30, 250, "c"),
                (0, 262, "c"),
            ]
        )
    )


def draw_neck(svg: Svg) -> None:
    neck = neck_path()
    with svg.group("neck"):
        with svg.group(clip=neck):
            svg.flood(neck, svg.linear((256, 186), (256, 232), (0, "#fbd6c6"), (1, c.SKIN)))
            shadow = shape(
                centred([(-30, 170, "c"), (30, 170, "c"), (16, 196), (7, 204), (0, 206.5), (-7, 204), (-16, 196)])
            )
            svg.fill(shadow, svg.linear((256, 186), (256, 206), (0, c.SKIN_DEEP), (1, "#f3b3a4")))
            for side in SIDES:
                svg.fill(taper(side.pts([(13.5, 192), (11.4, 200), (13, 210)]), [0, 3.2, 0]), c.SKIN_SHADE, 0.8)
        band = line(centred([(-13, 200.2), (-7, 203.2), (0, 204.2), (7, 203.2), (13, 200.2)]))
        with svg.group("choker"):
            with svg.group(clip=neck):
                nodes = sub_line(band, 0, 1)
                svg.fill(taper(nodes, [4.0, 4.0], step=4), c.PLUM_LINE)
                svg.fill(
                    taper(nodes, [2.8, 2.8], step=4),
                    svg.linear((243, 0), (269, 0), (0, c.PLUM_DARK), (0.45, c.PLUM_MID), (1, c.PLUM_DARK)),
                )
            drop = shape(centred([(0, 202.6, "c"), (2.0, 206.6), (0, 209.2), (-2.0, 206.6)]))
            svg.fill(drop, svg.linear((0, 203), (0, 209), (0, c.AMBER_LIGHT), (0.6, c.AMBER), (1, c.AMBER_SHADE)))
            svg.fill(outline(drop, 0.8), c.AMBER_LINE)
        for side in SIDES:
            svg.fill(
                taper(
                    side.pts([(13, 180), (12.2, 190), (12.0, 198), (14.0, 208), (24, 216)]),
                    pen(1.0, (0.5, 1, 0.9, 0.6, 0.2)),
                ),
                c.SKIN_LINE,
            )


def draw_face(svg: Svg, shadow_casters: list[Path]) -> None:
    face = face_path()
    with svg.group("face"):
        with svg.group(clip=face):
            svg.flood(face, c.SKIN)
            # soft warmth around the cheeks and the chin edge
            svg.flood(
                face,
                svg.radial(
                    (256, 146),
                    52,
                    (0, c.SKIN_LIGHT, 0.9),
                    (0.55, c.SKIN, 0.0),
                    (0.86, c.SKIN_SHADE, 0.0),
                    (1, c.SKIN_SHADE, 0.75),
                    stretch=(0.9, 1.0),
                ),
            )
            with svg.group("face_hair_shadow"):
                grad = svg.linear((256, 96), (256, 150), (0, "#eda79f"), (0.6, "#f6bfae"), (1, "#fad0bf"))
                for path in shadow_casters:
                    svg.fill(path, grad)
        right_half = [
            (256 + x, y)
            for x, y in [
                (40.8, 126),
                (39.4, 150),
                (36.0, 164.6),
                (26.4, 177.4),
                (11.8, 187.8),
                (4.0, 191.5),
                (0, 191.9),
            ]
        ]
        left_half = [(512 - x, y) for x, y in reversed(right_half[:-1])]
        svg.fill(
            taper(right_half + left_half, pen(1.15, (0.15, 0.8, 0.9, 1.15, 0.9, 1.15, 0.9, 0.8, 0.15)), step=4),
            c.SKIN_LINE,
        )


def draw_blush(svg: Svg) -> None:
    with svg.group("blush"):
        for side in SIDES:
            cx, cy = side.p(27.5, 165.5)
            svg.fill(
                ellipse(cx, cy, 12.5, 7),
                svg.radial(
                    (cx, cy), 12.5, (0, c.BLUSH, 0.46), (0.45, c.BLUSH, 0.28), (1, c.BLUSH, 0.0), stretch=(1, 0.56)
                ),
            )
            for k in (-1, 0, 1):
                x = 28.2 + k * 3.2
                svg.fill(
                    taper(side.pts([(x + 0.9, 163.4), (x - 0.9, 167.4)]), pen(0.65, (0.3, 1, 0.3))), "#e0676d", 0.55
                )


def draw_nose(svg: Svg) -> None:
    with svg.group("nose"):
        svg.fill(ellipse(256, NOSE_Y - 3.2, 1.1, 2.2), c.SKIN_LIGHT, 0.9)
        svg.fill(
            taper(centred([(1.7, NOSE_Y - 1.6), (1.1, NOSE_Y + 0.4), (-0.7, NOSE_Y + 0.9)]), pen(0.95, (0.1, 1, 0.3))),
            "#c9736a",
        )


def draw_mouth(svg: Svg) -> None:
    y = MOUTH_Y
    with svg.group("mouth"):
        half = MOUTH_HALF
        curve = [(-half, y - 1.3), (-0.56 * half, y + 0.5), (0, y + 1.0), (0.56 * half, y + 0.5), (half, y - 1.3)]
        svg.fill(taper(centred(curve), pen(1.15, (0.35, 1.0, 0.75, 1.0, 0.35)), step=2), "#a8484c", name="mouth_line")
        svg.fill(
            taper(centred([(-2.4, y + 4.4), (0, y + 4.9), (2.4, y + 4.4)]), pen(0.8)),
            c.SKIN_DEEP,
            0.65,
            name="lower_lip",
        )


# --------------------------------------------------------------------------
# Eyes
# --------------------------------------------------------------------------
OPEN_TOP = [(-12.6, 3.0), (-10.2, -2.9), (-5.2, -7.1), (1.2, -8.5), (7.4, -6.9), (11.7, -2.6), (13.4, 2.6)]
OPEN_BOTTOM = [(13.4, 2.6), (11.9, 7.4), (7.2, 10.8), (0.6, 11.8), (-6.2, 10.6), (-10.8, 7.2), (-12.6, 3.0)]


EYE_SCALE = 1.05


def _eye_nodes(side: Side, nodes):
    k = EYE_SCALE
    return side.pts([(EYE_DX + k * n[0], EYE_Y + k * n[1], *n[2:]) for n in nodes])


def eye_opening(side: Side) -> Path:
    top = [(*n, "c") if i in (0, len(OPEN_TOP) - 1) else n for i, n in enumerate(OPEN_TOP)]
    return shape(_eye_nodes(side, top + OPEN_BOTTOM[1:-1]))


def draw_eye(svg: Svg, side: Side) -> None:
    ix, iy = side.x(EYE_DX + IRIS_DX), EYE_Y + IRIS_DY
    opening = eye_opening(side)
    name = side.name

    def nodes(pts):
        return _eye_nodes(side, pts)

    with svg.group(f"eye_{name}"):
        with svg.group(f"eye_{name}_lid_colour", blur=0.9):
            lid_area = shape(
                nodes(
                    [
                        (-10.4, -4.0, "c"),
                        (-7.4, -10.5),
                        (-1.0, -14.2),
                        (7.0, -13.4),
                        (13.4, -8.0, "c"),
                        (12.0, -5.0),
                        (1.0, -9.0),
                        (-8.0, -5.0),
                    ]
                )
            )
            svg.fill(lid_area, svg.linear((0, EYE_Y - 16), (0, EYE_Y - 8), (0, "#f3a294", 0.0), (1, "#ea8d8a", 0.55)))
        with svg.group(f"eye_{name}_white", clip=opening):
            svg.flood(
                opening,
                svg.linear(
                    (0, EYE_Y - 9), (0, EYE_Y + 12), (0, c.EYE_WHITE_SHADE), (0.42, "#f6e9ec"), (0.7, c.EYE_WHITE)
                ),
            )
            # warm corners
            for u in (-12.5, 13.0):
                p = nodes([(u, 3.6)])[0]
                svg.fill(ellipse(p[0], p[1], 4, 5), svg.radial(p, 4.5, (0, "#f0a9a0", 0.6), (1, "#f0a9a0", 0.0)))
        with svg.group(f"eye_{name}_iris", clip=opening):
            disc = ellipse(ix, iy, IRIS_RX, IRIS_RY)
            svg.fill(disc, c.IRIS_RIM)
            with svg.group(clip=ellipse(ix, iy, IRIS_RX - 0.75, IRIS_RY - 0.75)):
                svg.flood(
                    disc,
                    svg.linear(
                        (ix, iy - IRIS_RY),
                        (ix, iy + IRIS_RY),
                        (0.05, c.IRIS_TOP),
                        (0.34, c.IRIS_UPPER),
                        (0.60, c.IRIS_MIDDLE),
                        (0.80, c.IRIS_LOWER),
                        (1.0, c.AMBER),
                    ),
                )
                # side rim light, violet
                svg.flood(
                    disc,
                    svg.radial(
                        (ix, iy),
                        IRIS_RX,
                        (0.62, "#7a2f86", 0.0),
                        (0.98, "#6d2a7c", 0.75),
                        stretch=(1, IRIS_RY / IRIS_RX),
                    ),
                )
                # glowing crescent at the bottom
                svg.fill(
                    shape(
                        [
                            (ix - 7.2, iy + 3.6, "c"),
                            (ix - 5.4, iy + 7.6),
                            (ix, iy + 9.9),
                            (ix + 5.4, iy + 7.6),
                            (ix + 7.2, iy + 3.6, "c"),
                            (ix + 4.0, iy + 6.0),
                            (ix, iy + 6.9),
                            (ix - 4.0, iy + 6.0),
                        ]
                    ),
                    c.IRIS_GLOW,
                    0.85,
                )
                svg.fill(
                    ellipse(ix, iy + 6.4, 5.6, 4.0),
                    svg.radial((ix, iy + 6.6), 5.6, (0, "#fff3bd", 0.85), (1, "#ffd873", 0.0), stretch=(1, 0.72)),
                )
                # fine rays
                for k in range(-4, 5):
                    a = math.radians(90 + k * 15)
                    r0, r1 = 4.6, 8.6 + (0.8 if k % 2 else 0)
                    p0 = (ix + math.cos(a) * r0, iy + 0.6 + math.sin(a) * r0 * 1.15)
                    p1 = (ix + math.cos(a) * r1, iy + 0.6 + math.sin(a) * r1 * 1.15)
                    svg.fill(taper([p0, p1], [0.75, 0.12]), "#ffe9a8" if k % 2 else "#a53a6c", 0.5)
                # pupil
                svg.fill(ellipse(ix, iy + 0.4, 4.7, 5.9), "#f08a5c", 0.35)
                svg.fill(
                    ellipse(ix, iy + 0.2, 4.0, 5.2),
                    svg.linear((ix, iy - 5), (ix, iy + 6), (0, c.PUPIL), (0.55, c.PUPIL), (1, "#6d2360")),
                )
                # reflected sky in the upper half
                svg.fill(
                    shape(
                        [
                            (ix - 7.6, iy - 0.6, "c"),
                            (ix - 6.4, iy - 6.0),
                            (ix, iy - 8.6),
                            (ix + 6.4, iy - 6.0),
                            (ix + 7.6, iy - 0.6, "c"),
                            (ix + 5.0, iy - 4.2),
                            (ix, iy - 5.8),
                            (ix - 5.0, iy - 4.2),
                        ]
                    ),
                    "#b48ae0",
                    0.30,
                )
                # shadow of the lid
                svg.fill(
                    shape(
                        [
                            (ix - 13, iy - 14, "c"),
                            (ix + 13, iy - 14, "c"),
                            (ix + 12, iy - 3.2),
                            (ix, iy - 5.6),
                            (ix - 12, iy - 3.2),
                        ]
                    ),
                    svg.linear((0, iy - 11), (0, iy - 2), (0, "#220a2c", 0.85), (1, "#220a2c", 0.35)),
                )
            # lash shadow across the white
            lid = nodes(OPEN_TOP)
            svg.fill(taper(lid, [0.5, 3.4, 4.2, 3.8, 1.2], step=3, shift=0), "#4b2148", 0.28)
        with svg.group(f"eye_{name}_highlight", clip=opening):
            hx = ix - 3.4
            svg.fill(ellipse(hx, iy - 4.4, 3.1, 3.6, 18), "#ffffff")
            svg.fill(ellipse(ix + 4.3, iy + 3.6, 1.6, 2.0, 15), "#ffffff", 0.95)
            svg.fill(ellipse(ix + 5.3, iy - 2.6, 0.9, 1.1), "#ffe6f2", 0.85)
            svg.fill(ellipse(ix - 3.6, iy + 6.6, 0.95, 0.8), "#ffffff", 0.8)
        with svg.group(f"eye_{name}_lash_lower"):
            svg.fill(
                taper(
                    nodes([(13.3, 1.6), (12.1, 7.4), (7.3, 10.9), (0.6, 11.9), (-6.2, 10.7), (-10.4, 7.6)]),
                    pen(1.0, (0.8, 1.25, 1.0, 0.75, 0.6, 0.05)),
                    step=3,
                ),
                c.LASH_WARM,
            )
            for root, tip in (((12.2, 7.2), (15.0, 8.8)), ((10.0, 9.6), (12.2, 12.0))):
                svg.fill(
                    taper(nodes([root, ((root[0] + tip[0]) / 2 + 0.3, (root[1] + tip[1]) / 2), tip]), [1.0, 0.7, 0]),
                    c.LASH_WARM,
                )
        with svg.group(f"eye_{name}_lash_upper"):
            lash = shape(
                nodes(
                    [
                        (-12.9, 3.4, "c"),
                        (-10.9, -3.8),
                        (-6.0, -9.2),
                        (1.0, -12.0),
                        (8.0, -10.9),
                        (12.6, -6.8),
                        (17.6, -5.4, "c"),
                        (15.6, -3.4),
                        (14.4, -1.6, "c"),
                        (16.9, -0.9, "c"),
                        (15.2, 0.8),
                        (13.5, 2.9, "c"),
                        (11.4, -2.2),
                        (7.2, -6.2),
                        (1.2, -7.7),
                        (-5.0, -6.4),
                        (-10.0, -2.4),
                    ]
                )
            )
            svg.fill(
                lash,
                svg.linear(
                    side.p(EYE_DX - 13, 0),
                    side.p(EYE_DX + 16, 0),
                    (0, "#8a3a4c"),
                    (0.28, c.LASH),
                    (0.8, c.LASH),
                    (1, "#7a3150"),
                ),
            )
            # warm glow on the lash
            svg.fill(taper(nodes([(-3.0, -10.5), (3.0, -11.0), (9.0, -8.8)]), pen(0.8)), "#b0566a", 0.7)
        with svg.group(f"eye_{name}_lid_crease"):
            svg.fill(
                taper(
                    nodes([(-7.6, -12.2), (-1.0, -15.2), (7.0, -14.4), (13.4, -9.6)]),
                    pen(0.9, (0.1, 0.8, 1, 0.2)),
                    step=3,
                ),
                "#b56a66",
            )


def brow_path(side: Side) -> Path:
    d, y = BROW_DX, BROW_Y
    nodes = [(d - 11.5, y + 1.0), (d - 4.0, y - 1.6), (d + 4.5, y - 1.9), (d + 12.5, y + 2.6)]
    return taper(side.pts(nodes), [0.4, 1.9, 2.2, 1.5, 0.1], step=3)


def draw_brow(svg: Svg, side: Side) -> None:
    with svg.group(f"brow_{side.name}"):
        paint = svg.linear(side.p(BROW_DX - 11, 0), side.p(BROW_DX + 12, 0), (0, "#a8566a"), (1, "#bd7384"))
        svg.fill(brow_path(side), paint)


def draw_features(svg: Svg) -> None:
    draw_blush(svg)
    draw_nose(svg)
    draw_mouth(svg)
    for side in SIDES:
        draw_eye(svg, side)
