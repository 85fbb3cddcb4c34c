"""Clothes, arms, legs and ornaments."""

from __future__ import annotations

import math

from . import palette as c
from .curves import (
    PEN_IN,
    SIDES,
    Noise,
    Path,
    Ribbon,
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
    taper_pieces,
    tuft,
)
from .svgdoc import Svg

INK = (0.3, 0.85, 1.0, 0.85, 0.3)


def ink(svg: Svg, path: Path, colour: str, width: float = 1.15, skip=()) -> None:
    svg.fill(outline(path, width, INK, skip), colour)


def fold(svg: Svg, nodes, width: float, colour: str, opacity: float = 1.0, profile=PEN_IN) -> None:
    svg.fill(taper(nodes, pen(width, profile)), colour, opacity)


def trim(svg: Svg, path: Path, colour: str, inset: float, width: float, hem: str) -> None:
    """Braid parallel to the outline; call inside a group clipped to the path."""
    svg.stroke(path, colour, 2 * (inset + width))
    svg.stroke(path, hem, 2 * inset)


# --------------------------------------------------------------------------
# Legs
# --------------------------------------------------------------------------
def draw_legs(svg: Svg) -> None:
    for side in SIDES:
        leg = shape(
            side.pts(
                [
                    (2, 440, "c"),
                    (46, 440, "c"),
                    (44.5, 470),
                    (42, 500),
                    (39.5, 522, "c"),
                    (8.0, 522, "c"),
                    (6.0, 500),
                    (4, 470),
                ]
            )
        )
        with svg.group(f"leg_{side.name}"):
            with svg.group(clip=leg):
                svg.flood(
                    leg,
                    svg.linear(
                        side.p(4, 0), side.p(44, 0), (0, c.SKIN_SHADE), (0.25, c.SKIN), (0.75, c.SKIN), (1, "#fbd3c3")
                    ),
                )
                # shadow of the skirt
                svg.fill(
                    shape(side.pts([(0, 436, "c"), (50, 436, "c"), (50, 478), (24, 486), (0, 488, "c")])),
                    svg.linear((0, 466), (0, 488), (0, c.SKIN_DEEP), (1, "#f4b4a5")),
                )
                # stocking
                top = [(0, 495), (10, 497.5), (25, 497.5), (40, 494), (50, 490)]
                stocking = shape(side.pts([(*top[0], "c"), *top[1:-1], (*top[-1], "c"), (50, 524, "c"), (0, 524, "c")]))
                svg.fill(
                    stocking,
                    svg.linear(
                        side.p(4, 0),
                        side.p(43, 0),
                        (0, c.PLUM_DARK),
                        (0.35, c.PLUM),
                        (0.62, c.PLUM_MID),
                        (1, c.PLUM_SHADE),
                    ),
                )
                svg.fill(taper(side.pts(offset_pts(top, 4.2)), [1.6, 1.6], step=5), c.AMBER, 0.95)
                svg.fill(taper(side.pts(top), [1.4, 1.4], step=5), c.PLUM_LINE)
            svg.fill(taper(side.pts([(44.5, 466), (42, 500), (39.5, 522)]), [1.2, 1.2]), c.SKIN_LINE_DARK)
            svg.fill(taper(side.pts([(4, 466), (6.0, 500), (8.0, 522)]), [1.1, 1.1]), c.SKIN_LINE_DARK)


def offset_pts(nodes, dy):
    return [(x, y + dy) for x, y in nodes]


# --------------------------------------------------------------------------
# Skirt
# --------------------------------------------------------------------------
def draw_skirt(svg: Svg) -> None:
    hem = [
        (84, 452, "c"),
        (80, 463),
        (70, 463),
        (62, 459, "c"),
        (54, 470),
        (44, 470),
        (36, 464, "c"),
        (27, 475),
        (14, 475),
        (8, 468, "c"),
        (4, 474),
        (0, 475.5),
    ]
    under = shape(both([(0, 350, "c"), (24, 350, "c"), (44, 382), (64, 414), *hem]))
    with svg.group("skirt_under"):
        with svg.group(clip=under):
            svg.flood(under, svg.linear((0, 350), (0, 476), (0, c.CREAM_SHADE), (0.5, c.CREAM), (1, c.CREAM_LIGHT)))
            for side in SIDES:
                for x0, x1, w in ((3, 10.5, 6), (10, 38, 10), (20, 64, 11), (26, 84, 10)):
                    svg.fill(
                        taper(side.pts([(x1, 476), (x1 * 0.8 + 1, 440), (x0, 372)]), [w, w * 0.55, 0]), c.CREAM_SHADE
                    )
                    svg.fill(
                        taper(side.pts([(x1, 474), (x1 * 0.8 + 1.2, 440), (x0 + 2, 380)]), [3, 1.4, 0]),
                        c.CREAM_DEEP,
                        0.8,
                    )
                # lace stripes
            svg.fill(
                shape(both([(0, 350, "c"), (30, 348, "c"), (30, 362), (8, 374), (0, 382, "c")])), c.CREAM_DEEP, 0.55
            )
            trim(svg, under, c.AMBER_MID, 3.6, 1.0, c.CREAM_LIGHT)
        ink(svg, under, c.CREAM_LINE)

    for side in SIDES:
        petal = shape(
            side.pts(
                [
                    (2, 352, "c"),
                    (29, 351, "c"),
                    (43.5, 376),
                    (66, 408),
                    (91, 440, "c"),
                    (82, 448),
                    (70, 445),
                    (66, 435, "c"),
                    (56, 446),
                    (44, 440),
                    (42, 427, "c"),
                    (33, 432),
                    (24, 422),
                    (24, 408, "c"),
                    (14, 392),
                    (6, 370),
                ]
            )
        )
        with svg.group(f"overskirt_{side.name}"):
            with svg.group(clip=petal):
                svg.flood(
                    petal,
                    svg.linear(
                        side.p(10, 350),
                        side.p(70, 446),
                        (0, c.PLUM_SHADE),
                        (0.45, c.PLUM),
                        (0.8, c.PLUM_MID),
                        (1, "#8f5484"),
                    ),
                )
                for tip, root in (((66, 436), (22, 352)), ((42, 428), (14, 352)), ((84, 440), (28, 356))):
                    mid = ((tip[0] + root[0]) / 2 + 3, (tip[1] + root[1]) / 2)
                    svg.fill(taper(side.pts([tip, mid, root]), [9, 5, 0]), c.PLUM_DARK, 0.55)
                for tip, root in (((56, 442), (19, 356)), ((34, 426), (11, 362)), ((76, 442), (26, 356))):
                    mid = ((tip[0] + root[0]) / 2 + 3, (tip[1] + root[1]) / 2)
                    svg.fill(taper(side.pts([tip, mid, root]), [4, 3, 0]), c.PLUM_LIGHT, 0.55)
                trim(svg, petal, c.AMBER, 3.0, 1.5, "#4a2549")
            ink(svg, petal, c.PLUM_LINE)


# --------------------------------------------------------------------------
# Torso
# --------------------------------------------------------------------------
def draw_torso(svg: Svg) -> None:
    blouse = shape(
        both([(0, 206, "c"), (16, 210), (44, 224, "c"), (42, 256), (40, 276), (36, 294), (31, 312, "c"), (0, 318, "c")])
    )
    with svg.group("blouse"):
        with svg.group(clip=blouse):
            svg.flood(
                blouse,
                svg.linear(
                    (0, 240), (0, 312), (0, c.CREAM_SHADE), (0.35, c.CREAM), (0.75, c.CREAM), (1, c.CREAM_SHADE)
                ),
            )
            for side in SIDES:
                svg.fill(
                    shape(side.pts([(44, 230, "c"), (24, 262), (26, 290), (33, 316, "c"), (50, 316, "c")])),
                    c.CREAM_SHADE,
                    0.9,
                )
                svg.fill(taper(side.pts([(31, 306), (25, 298), (14, 296), (6, 300)]), [6, 4, 3, 0]), c.CREAM_DEEP, 0.5)
                for x in (5.5, 9.5):
                    fold(
                        svg, side.pts([(x, 250), (x + 0.6, 280), (x * 0.9, 312)]), 0.8, c.CREAM_DEEP, 0.9, (0.6, 1, 0.8)
                    )
                fold(svg, side.pts([(28, 304), (22, 290), (20, 276)]), 1.6, c.CREAM_DEEP, 0.8)
                fold(svg, side.pts([(20, 306), (16, 294), (15.5, 284)]), 1.3, c.CREAM_DEEP, 0.8)
            svg.fill(taper(centred([(0, 250), (0, 312)]), [0.7, 0.7]), c.CREAM_DEEP)
            for y in (270, 281.5, 293):
                svg.fill(ellipse(256, y, 1.9, 1.9), c.AMBER_LINE)
                svg.fill(ellipse(256, y, 1.35, 1.35), c.AMBER)
                svg.fill(ellipse(255.6, y - 0.4, 0.5, 0.5), c.AMBER_LIGHT)
        ink(svg, blouse, c.CREAM_LINE)
    with svg.group("corset"):
        top = [(0, 309), (6, 305), (16, 302), (26, 304)]
        corset = shape(
            both(
                [
                    (*top[0], "c"),
                    (6, 304.5),
                    (16, 301.5),
                    (32, 305, "c"),
                    (28.6, 322),
                    (27.6, 334),
                    (31.5, 353, "c"),
                    (18, 358),
                    (7, 365),
                    (0, 372, "c"),
                ]
            )
        )
        with svg.group(clip=corset):
            svg.flood(
                corset,
                svg.linear(
                    (225, 0),
                    (287, 0),
                    (0, c.PLUM_DARK),
                    (0.2, c.PLUM),
                    (0.42, c.PLUM_MID),
                    (0.58, c.PLUM_MID),
                    (0.8, c.PLUM),
                    (1, c.PLUM_DARK),
                ),
            )
            svg.flood(
                corset,
                svg.linear(
                    (0, 300),
                    (0, 372),
                    (0, c.PLUM_DARK, 0.6),
                    (0.2, c.PLUM_DARK, 0.0),
                    (0.8, c.PLUM_DARK, 0.0),
                    (1, c.PLUM_DARK, 0.35),
                ),
            )
            for side in SIDES:
                fold(svg, side.pts([(20, 302), (17.5, 332), (18.5, 360)]), 1.0, c.PLUM_DARK, 0.9, (0.8, 1, 0.8))
                fold(svg, side.pts([(18.6, 304), (16.1, 332), (17, 358)]), 0.9, c.PLUM_LIGHT, 0.8, (0.4, 1, 0.4))
                fold(svg, side.pts([(8.5, 304), (7.4, 334), (8.4, 366)]), 1.0, c.PLUM_DARK, 0.9, (0.8, 1, 0.8))
                # gold edge
                svg.fill(taper(side.pts([(0, 311.5), (6, 307), (16, 304), (33, 307.5)]), [1.5, 1.5], step=4), c.AMBER)
                svg.fill(taper(side.pts([(0, 368.6), (7, 361.8), (18, 355), (33, 350)]), [1.5, 1.5], step=4), c.AMBER)
            for k in range(5):
                y = 317 + k * 9.2
                for side in SIDES:
                    svg.fill(
                        taper(side.pts([(-5.2, y), (5.2, y + 7.0)]), [1.1, 1.1]),
                        c.AMBER if side.sign > 0 else c.AMBER_MID,
                    )
            for k in range(6):
                y = 317 + k * 9.2 - 1
                for side in SIDES:
                    svg.fill(ellipse(side.x(5.4), y, 1.2, 1.2), c.AMBER_LIGHT)
        ink(svg, corset, c.PLUM_LINE)


# --------------------------------------------------------------------------
# Arms
# --------------------------------------------------------------------------
FINGERS = (
    # centre line, widths; from the far finger to the near one
    ([(96.0, 424), (97.4, 434), (96.0, 443.5)], (5.6, 5.4, 4.2)),
    ([(93.2, 425), (94.2, 437), (92.6, 448.4)], (6.2, 5.8, 4.4)),
    ([(88.8, 426), (89.4, 439), (88.0, 451.2)], (6.4, 6.0, 4.6)),
    ([(83.9, 425), (83.6, 438), (82.8, 449.4)], (6.4, 5.8, 4.4)),
)


def finger(nodes, widths) -> Path:
    """Round-ended finger; the root stays open (first run is the far side)."""
    (xa, ya), (x, y) = nodes[-2], nodes[-1]
    d = math.hypot(x - xa, y - ya)
    tip = (x + (x - xa) / d * widths[-1] * 0.42, y + (y - ya) / d * widths[-1] * 0.42)
    body = Ribbon.from_centre(nodes, widths)
    left = [body.at(0, t) for t in (0, 0.35, 0.7, 0.98)]
    right = [body.at(1, t) for t in (0.98, 0.7, 0.35, 0)]
    return shape([(*left[0], "c"), *left[1:], tip, *right[:-1], (*right[-1], "c")])


def draw_hand(svg: Svg, side: Side) -> None:
    P = side.pts
    flesh = svg.linear((0, 414), (0, 452), (0, "#ffe4d6"), (0.6, c.SKIN), (1, "#fdd2c3"))
    with svg.group(f"hand_{side.name}"):
        for nodes, widths in FINGERS:
            body = finger(P(nodes), widths)
            with svg.group(clip=body):
                svg.flood(body, flesh)
                shade = [(x + w * 0.36, y) for (x, y), w in zip(nodes, widths, strict=False)]
                svg.fill(taper(P(shade), [2.2, 2.4, 1.6]), c.SKIN_SHADE)
            svg.fill(
                taper_pieces(body.runs[0], pen(0.95, (0.1, 0.5, 0.9, 1, 1, 1, 0.9, 0.5, 0.1)), step=3), c.SKIN_LINE_DARK
            )
        palm = shape(
            P(
                [
                    (79.5, 404, "c"),
                    (79.0, 414),
                    (80.6, 425, "c"),
                    (85, 427.5),
                    (91, 428),
                    (96, 427),
                    (98.6, 425, "c"),
                    (97.4, 416),
                    (93.4, 404, "c"),
                ]
            )
        )
        with svg.group(clip=palm):
            svg.flood(palm, "#ffe4d6")
            svg.fill(shape(P([(70, 398, "c"), (104, 398, "c"), (104, 419), (92, 424), (76, 424, "c")])), "#f0ab9e")
        svg.fill(
            taper(P([(93.4, 404), (97.4, 416), (98.7, 427), (99.4, 434)]), pen(0.95, (0.6, 1, 0.9, 0.3)), step=4),
            c.SKIN_LINE_DARK,
        )
        thumb = finger(P([(81.4, 412), (77.6, 422), (77.4, 433.6)]), (7.4, 6.6, 4.6))
        with svg.group(clip=thumb):
            svg.flood(thumb, flesh)
            svg.fill(shape(P([(68, 398, "c"), (100, 398, "c"), (100, 420), (76, 422.5, "c"), (68, 420)])), "#f0ab9e")
            svg.fill(taper(P([(83.5, 416), (80.4, 424), (79.0, 436)]), [2.0, 2.4, 1.2]), c.SKIN_SHADE)
        svg.fill(
            taper_pieces(thumb.runs[0], pen(0.95, (0.5, 0.9, 1, 1, 1, 1, 0.9, 0.5, 0.1)), step=3), c.SKIN_LINE_DARK
        )


def draw_arm(svg: Svg, side: Side) -> None:
    P = side.pts
    with svg.group(f"arm_{side.name}"):
        draw_hand(svg, side)
        frill = shape(
            P(
                [
                    (75, 400, "c"),
                    (92, 398, "c"),
                    (97, 407),
                    (101.5, 414, "c"),
                    (97, 417),
                    (94, 415, "c"),
                    (91, 419.5),
                    (87, 416.5, "c"),
                    (84, 421),
                    (80, 418, "c"),
                    (77, 421),
                    (72.5, 419, "c"),
                    (74.5, 410),
                ]
            )
        )
        with svg.group(f"cuff_frill_{side.name}"):
            with svg.group(clip=frill):
                svg.flood(frill, svg.linear((0, 402), (0, 420), (0, c.CREAM_SHADE), (1, c.CREAM_LIGHT)))
                for x, y, r in ((94, 416, 90), (87, 418, 86), (80, 419, 80)):
                    svg.fill(taper(P([(x, y), (r, 404)]), [3, 0]), c.CREAM_DEEP, 0.8)
            ink(svg, frill, c.CREAM_LINE, 1.0)

        sleeve = shape(
            P(
                [
                    (58, 236, "c"),
                    (72, 284),
                    (84, 322),
                    (97, 354),
                    (103, 376),
                    (100, 390),
                    (92, 398, "c"),
                    (74.5, 400, "c"),
                    (66, 391),
                    (60, 368),
                    (55, 334),
                    (46, 284),
                    (40, 240, "c"),
                ]
            )
        )
        with svg.group(f"sleeve_{side.name}"):
            with svg.group(clip=sleeve):
                svg.flood(
                    sleeve,
                    svg.linear(
                        side.p(58, 372),
                        side.p(104, 352),
                        (0, "#ecc9c6"),
                        (0.35, c.CREAM),
                        (0.75, c.CREAM_LIGHT),
                        (1, "#fbeae2"),
                    ),
                )
                # inner side in shadow, hard edge
                svg.fill(
                    shape(
                        P([(36, 300, "c"), (64, 300), (65, 340), (69, 366), (77, 388), (80, 402, "c"), (50, 402, "c")])
                    ),
                    c.CREAM_SHADE,
                    0.85,
                )
                # long soft folds
                for nodes, w in (
                    ([(72, 338), (75, 362), (80, 400)], [0, 4.5, 2]),
                    ([(83, 342), (88, 366), (87, 400)], [0, 5.5, 2]),
                    ([(94, 352), (98.5, 374), (92, 400)], [0, 4.0, 2]),
                    ([(62, 350), (66, 374), (76, 400)], [0, 4.0, 2]),
                ):
                    svg.fill(taper(P(nodes), w), "#dcb2b8", 0.75)
                for nodes in (
                    [(78, 400), (73, 384), (70.5, 368)],
                    [(82.5, 400), (81, 384), (80, 372)],
                    [(86.8, 400), (88, 386), (90.5, 372)],
                    [(90.5, 400), (95, 386), (98, 376)],
                ):
                    svg.fill(taper(P(nodes), [1.3, 1.0, 0]), c.CREAM_LINE, 0.75)
                # shadow of the cape
                svg.fill(
                    shape(
                        P(
                            [
                                (30, 300, "c"),
                                (112, 300, "c"),
                                (112, 336),
                                (98, 345),
                                (84, 352),
                                (68, 352),
                                (58, 344),
                                (40, 342, "c"),
                            ]
                        )
                    ),
                    svg.linear((0, 334), (0, 353), (0, "#a46d86", 0.85), (1, "#c492a0", 0.7)),
                )
            ink(svg, sleeve, c.CREAM_LINE)

        cuff = shape(
            P([(73.6, 397.5, "c"), (83, 398.2), (92.4, 395.5, "c"), (94.6, 403.5, "c"), (85, 406.8), (75, 406.4, "c")])
        )
        with svg.group(f"cuff_{side.name}"):
            with svg.group(clip=cuff):
                svg.flood(
                    cuff, svg.linear(side.p(73, 0), side.p(95, 0), (0, c.PLUM_DARK), (0.55, c.PLUM_MID), (1, c.PLUM))
                )
                svg.fill(taper(P([(74, 399.8), (83.4, 400.4), (93, 397.8)]), [1.2, 1.2]), c.AMBER)
                svg.fill(taper(P([(74.6, 404.6), (84.6, 404.8), (94.4, 401.6)]), [1.2, 1.2]), c.AMBER)
            ink(svg, cuff, c.PLUM_LINE, 1.0)


# --------------------------------------------------------------------------
# Cape: two pairs of moth wings
# --------------------------------------------------------------------------
FORE_TOP = [(8, 206), (30, 212), (50, 224), (66, 246), (84, 280), (101, 306), (124, 324)]
FORE_SCALLOPS = [
    [(124, 324), (113, 331), (103, 330), (96, 321)],
    [(96, 321), (88, 333), (75, 331), (68, 318)],
    [(68, 318), (60, 327), (48, 322), (43, 306)],
    [(43, 306), (35, 309), (27, 300), (25, 284)],
]
FORE_FRONT = [(25, 284), (17, 264), (10, 248), (2, 236)]
HIND_SCALLOPS = [
    [(108, 322), (108, 338), (98, 346), (89, 340)],
    [(89, 340), (82, 352), (68, 350), (62, 337)],
    [(62, 337), (53, 346), (41, 339), (38, 323)],
    [(38, 323), (30, 325), (22, 314), (20, 296)],
]


def _scalloped(top, scallops, front):
    nodes = [(*top[0], "c"), *top[1:-1]]
    for part in scallops:
        nodes += [(*part[0], "c"), *part[1:-1]]
    nodes += [*front[:-1], (*front[-1], "c")]
    return nodes


def eyespot(svg: Svg, side: Side, x: float, y: float, r: float, tilt: float) -> None:
    """Moth eyespot: rings and a pale crescent."""
    cx, cy = side.p(x, y)
    t = tilt * side.sign
    with svg.group(f"eyespot_{side.name}"):
        svg.fill(ellipse(cx, cy, r * 1.34, r * 1.14, t), c.PLUM_DARK)
        svg.fill(ellipse(cx, cy, r * 1.16, r * 0.98, t), "#e7968a")
        svg.fill(ellipse(cx, cy, r * 1.00, r * 0.84, t), c.CREAM)
        svg.fill(
            ellipse(cx, cy, r * 0.84, r * 0.70, t),
            svg.radial((cx, cy + r * 0.3), r, (0, c.AMBER_LIGHT), (0.45, c.AMBER), (1, c.AMBER_SHADE)),
        )
        svg.fill(ellipse(cx - side.sign * r * 0.10, cy - r * 0.06, r * 0.50, r * 0.42, t), c.PLUM_DARK)
        svg.fill(ellipse(cx - side.sign * r * 0.02, cy + r * 0.02, r * 0.34, r * 0.28, t), c.PLUM_MID)


def draw_cape(svg: Svg, lock_shadows: list[Path]) -> None:
    for side in SIDES:
        P = side.pts
        hind = shape(
            P(
                _scalloped(
                    [(20, 230), (60, 260), (90, 296), (108, 322)], HIND_SCALLOPS, [(20, 296), (14, 270), (6, 244)]
                )
            )
        )
        fore = shape(P(_scalloped(FORE_TOP, FORE_SCALLOPS, FORE_FRONT)))
        with svg.group(f"cape_hind_{side.name}"):
            with svg.group(clip=hind):
                svg.flood(
                    hind, svg.linear(side.p(40, 280), side.p(78, 352), (0, "#8c4a70"), (0.5, "#c0647c"), (1, "#ec9c8c"))
                )
                svg.fill(fore.moved(0, 6.0), "#6d2f58", 0.62)
                trim(svg, hind, c.AMBER_LIGHT, 2.0, 1.3, "#b4586f")
                svg.fill(fore.moved(0, 2.6), "#6d2f58", 0.62)
            ink(svg, hind, c.PLUM_LINE)
        with svg.group(f"cape_fore_{side.name}"):
            with svg.group(clip=fore):
                svg.flood(
                    fore,
                    svg.linear(
                        side.p(30, 214),
                        side.p(84, 334),
                        (0, c.PLUM_MID),
                        (0.35, c.PLUM),
                        (0.75, "#4e2850"),
                        (1, "#6d3a68"),
                    ),
                )
                # shoulder light
                svg.fill(taper(P([(26, 214), (46, 226), (62, 250), (78, 282)]), [0, 9, 8, 0]), c.PLUM_LIGHT, 0.45)
                # folds between the veins
                for part in FORE_SCALLOPS:
                    x, y = part[-1]
                    svg.fill(
                        taper(P([(x, y + 2), (x * 0.66 + 8, y * 0.5 + 222 * 0.5), (20, 222)]), [7, 6, 1]),
                        c.PLUM_DARK,
                        0.40,
                    )
                # crescents above the hem, as on a moth wing
                for part in FORE_SCALLOPS:
                    mid = sub_line(line(part), 0.10, 0.90, 8)
                    lift = 9.0 if part is not FORE_SCALLOPS[0] else 8.0
                    svg.fill(
                        taper(P([(x - 0.8, y - lift) for x, y in mid]), [0, 3.4, 4.4, 3.4, 0], step=4),
                        c.PLUM_LIGHT,
                        0.55,
                    )
                for part in FORE_SCALLOPS:
                    x, y = part[0]
                    svg.fill(
                        taper(P([(x, y), (x * 0.66 + 10, y * 0.5 + 222 * 0.5), (22, 220)]), [0.7, 0.9, 0.3]),
                        c.AMBER_MID,
                        0.85,
                    )
                trim(svg, fore, c.AMBER, 3.0, 1.7, "#43213f")
                svg.fill(lock_shadows, c.PLUM_DARK, 0.45)
                eyespot(svg, side, 76.5, 302.5, 8.2, 24)
            ink(svg, fore, c.PLUM_LINE, 1.3)


def draw_body(svg: Svg, lock_shadows: list[Path]) -> None:
    with svg.group("body"):
        draw_legs(svg)
        draw_skirt(svg)
        draw_torso(svg)
        for side in SIDES:
            draw_arm(svg, side)
        draw_cape(svg, lock_shadows)


# --------------------------------------------------------------------------
# Fur collar and bow
# --------------------------------------------------------------------------
def fur_row(
    svg: Svg,
    nodes,
    count: int,
    length: float,
    width: float,
    paint: str,
    seed: int,
    gravity: float = 0.0,
    shadow: float = 0.5,
) -> None:
    """Overlapping tufts along a line, pointing to the left of its travel."""
    points = sub_line(line(nodes), 0, 1, count * 2)
    rnd = Noise(seed)
    bodies = []
    for i in range(count):
        a, p, b = points[2 * i], points[2 * i + 1], points[2 * i + 2]
        d = math.atan2(b[1] - a[1], b[0] - a[0]) - math.pi / 2
        angle = math.degrees(math.atan2(math.sin(d) + gravity, math.cos(d)))
        where = (i - (count - 1) / 2) / count
        size = length * (0.78 + 0.5 * rnd())
        bodies.append(
            (
                abs(where),
                tuft(p, angle + (rnd() - 0.5) * 22, size, width * (0.85 + 0.3 * rnd()), (rnd() - 0.5) * 5 + where * 7),
            )
        )
    bodies.sort(key=lambda item: -item[0])
    if shadow:
        svg.fill([b.moved(0, 2.6) for _, b in bodies], c.CREAM_DARK, shadow)
    for _, body in bodies:
        svg.fill(body, paint)
        svg.fill(
            [
                taper_pieces(body.runs[0], pen(0.85, (0, 0.2, 0.9, 0.8))),
                taper_pieces(body.runs[1], pen(0.85, (0.8, 0.9, 0.2, 0))),
            ],
            c.CREAM_LINE,
        )


def draw_collar(svg: Svg) -> None:
    with svg.group("collar"):
        shade = svg.linear((0, 215), (0, 262), (0, c.CREAM_DEEP), (0.45, c.CREAM_SHADE), (1, c.CREAM))
        light = svg.linear((0, 206), (0, 252), (0, c.CREAM_SHADE), (0.5, c.CREAM), (1, c.CREAM_LIGHT))
        top = svg.linear((0, 200), (0, 244), (0, c.CREAM), (0.5, c.CREAM_LIGHT), (1, c.CREAM_LIGHT))
        with svg.group("fur_back"):
            for side in SIDES:
                for x, y, angle, size in (
                    (46, 212, -24, 11),
                    (40, 209, -36, 11),
                    (34, 206.5, -46, 10),
                    (28, 204.5, -56, 10),
                    (22, 203, -64, 9),
                    (17, 202, -72, 7),
                ):
                    a = angle if side.sign > 0 else 180 - angle
                    body = tuft(side.p(x, y + 3), a, size + 3, 7, -3.5 * side.sign)
                    svg.fill(body, "#f6e2dc")
                    ink(svg, body, c.CREAM_LINE, 0.85)
        with svg.group("fur_low"):
            fur_row(
                svg,
                centred(
                    [
                        (47, 214),
                        (48, 226),
                        (38, 235),
                        (20, 242),
                        (0, 245),
                        (-20, 242),
                        (-38, 235),
                        (-48, 226),
                        (-47, 214),
                    ]
                ),
                21,
                18,
                8.5,
                shade,
                5,
                gravity=0.5,
                shadow=0,
            )
        body = shape(
            centred(
                [
                    (13, 202, "c"),
                    (34, 206),
                    (48, 216),
                    (45, 229),
                    (26, 238),
                    (0, 243),
                    (-26, 238),
                    (-45, 229),
                    (-48, 216),
                    (-34, 206),
                    (-13, 202, "c"),
                    (-9, 216),
                    (0, 231, "c"),
                    (9, 216),
                ]
            )
        )
        svg.fill(body, light)
        with svg.group("fur_middle"):
            fur_row(
                svg,
                centred(
                    [
                        (42, 210),
                        (42, 219),
                        (34, 226),
                        (18, 234),
                        (0, 238),
                        (-18, 234),
                        (-34, 226),
                        (-42, 219),
                        (-42, 210),
                    ]
                ),
                17,
                15.5,
                8.5,
                light,
                9,
                gravity=0.5,
            )
        with svg.group("fur_top"):
            fur_row(
                svg,
                centred(
                    [
                        (33, 206),
                        (33, 213),
                        (26, 220),
                        (13, 229),
                        (0, 234),
                        (-13, 229),
                        (-26, 220),
                        (-33, 213),
                        (-33, 206),
                    ]
                ),
                13,
                13.5,
                8.5,
                top,
                14,
                gravity=0.5,
            )
            core = shape(
                centred(
                    [
                        (13, 201.5, "c"),
                        (25, 203),
                        (34, 209),
                        (27, 220),
                        (12, 230),
                        (0, 236),
                        (-12, 230),
                        (-27, 220),
                        (-34, 209),
                        (-25, 203),
                        (-13, 201.5, "c"),
                        (-9.5, 215),
                        (0, 231, "c"),
                        (9.5, 215),
                    ]
                )
            )
            svg.fill(core, top)
            for side in SIDES:
                svg.fill(
                    taper(side.pts([(12.5, 201), (9.5, 215), (0, 231.5)]), pen(1.0, (0.4, 1, 0.8, 0.4))), c.CREAM_LINE
                )
                svg.fill(taper(side.pts([(15, 202), (12, 215), (2, 231)]), [0, 4.0, 0]), c.CREAM_SHADE, 0.9)
                for x, y, dx, dy in ((20, 210, 3, 7), (15, 219, 1, 7), (27, 209, 4, 6), (9, 227, 0, 7)):
                    svg.fill(
                        taper(
                            side.pts([(x, y), (x + dx * 0.6 + 0.6, y + dy * 0.5), (x + dx, y + dy)]),
                            pen(0.8, (0, 1, 0.4)),
                        ),
                        c.CREAM_DEEP,
                        0.9,
                    )
    draw_bow(svg)


def draw_bow(svg: Svg) -> None:
    with svg.group("bow"):
        y = 247
        for side in SIDES:
            P = side.pts
            tail = shape(
                P(
                    [
                        (1, y, "c"),
                        (7, y + 4),
                        (16, y + 24),
                        (23, y + 47, "c"),
                        (15.6, y + 44.5, "c"),
                        (11.0, y + 51, "c"),
                        (7.5, y + 28),
                        (0, y + 6, "c"),
                    ]
                )
            )
            with svg.group(clip=tail):
                svg.flood(tail, svg.linear((0, y), (0, y + 52), (0, c.AMBER_SHADE), (0.4, c.AMBER_MID), (1, c.AMBER)))
                svg.fill(taper(P([(2, y + 4), (9, y + 28), (12, y + 52)]), [3, 4, 3]), c.AMBER_SHADE, 0.7)
            ink(svg, tail, c.AMBER_LINE)
            loop = shape(
                P(
                    [
                        (1, y - 2, "c"),
                        (10, y - 11),
                        (22, y - 12),
                        (27, y - 3),
                        (26, y + 7),
                        (20, y + 11),
                        (9, y + 7),
                        (1, y + 3, "c"),
                    ]
                )
            )
            with svg.group(clip=loop):
                svg.flood(
                    loop,
                    svg.linear(
                        (0, y - 12),
                        (0, y + 12),
                        (0, c.AMBER_LIGHT),
                        (0.35, c.AMBER),
                        (0.75, c.AMBER_MID),
                        (1, c.AMBER_SHADE),
                    ),
                )
                svg.fill(
                    shape(P([(0, y, "c"), (10, y - 3), (17, y + 1), (19, y + 12, "c"), (6, y + 10)])),
                    c.AMBER_SHADE,
                    0.6,
                )
                svg.fill(
                    taper(P([(9, y - 8.6), (17, y - 9.6), (24, y - 6.0), (25, y)]), [0, 2.2, 2.0, 0]), "#fff6d8", 0.85
                )
                fold(svg, P([(2, y - 1), (9, y - 5), (15, y - 6)]), 2.0, c.AMBER_DEEP, 0.7)
                fold(svg, P([(2, y + 1), (9, y + 3), (13, y + 6)]), 2.0, c.AMBER_DEEP, 0.7)
            ink(svg, loop, c.AMBER_LINE)
        gold = ellipse(256, y, 6.4, 7.2)
        svg.fill(gold, svg.linear((0, y - 7), (0, y + 7), (0, c.AMBER_LIGHT), (0.5, c.AMBER), (1, c.AMBER_SHADE)))
        ink(svg, gold, c.AMBER_LINE, 1.0)
        gem = ellipse(256, y, 4.5, 5.3)
        svg.fill(gem, svg.linear((0, y - 5), (0, y + 5), (0, "#4a1d4e"), (0.55, "#9a3f7d"), (1, "#e98a7c")))
        svg.fill(ellipse(254.4, y - 2.2, 1.3, 1.6, 20), "#ffffff", 0.95)


# --------------------------------------------------------------------------
# Antennae
# --------------------------------------------------------------------------
ANTENNA = [(31, 78), (36, 56), (49, 37), (70, 25), (91, 27), (103, 40)]


def _longer(nodes, extra: float):
    """Same nodes with the last one moved on by ``extra``."""
    (x0, y0), (x1, y1) = nodes[-2], nodes[-1]
    d = math.hypot(x1 - x0, y1 - y0)
    return [*nodes[:-1], (x1 + (x1 - x0) / d * extra, y1 + (y1 - y0) / d * extra)]


def draw_antennae(svg: Svg) -> None:
    with svg.group("accessories_back"):
        for side in SIDES:
            stem = sub_line(line(side.pts(ANTENNA)), 0, 1, 26)
            with svg.group(f"antenna_{side.name}"):
                barbs = []
                for i in range(3, 26):
                    f = i / 26
                    x, y = stem[i]
                    px, py = stem[i - 1]
                    length = math.hypot(x - px, y - py)
                    tx, ty = (x - px) / length, (y - py) / length
                    size = 13.0 * math.sin(math.pi * min(1, f * 0.93 + 0.05)) ** 0.8
                    for turn in (-1, 1):
                        a = math.radians(58) * turn
                        bx = tx * math.cos(a) - ty * math.sin(a)
                        by = tx * math.sin(a) + ty * math.cos(a)
                        tip = (x + bx * size + tx * size * 0.25, y + by * size + ty * size * 0.25)
                        mid = (x + bx * size * 0.55, y + by * size * 0.55)
                        barbs.append(([(x, y), mid, tip], [2.4, 2.3, 0.1]))
                svg.fill(
                    [taper(_longer(nodes, 1.5), [w[0] + 1.7, w[1] + 1.6, 0.5], step=5) for nodes, w in barbs],
                    c.AMBER_LINE,
                )
                grad = svg.linear(
                    side.p(36, 78),
                    side.p(96, 28),
                    (0, c.AMBER_SHADE),
                    (0.3, c.AMBER_MID),
                    (0.65, c.AMBER),
                    (1, c.AMBER_LIGHT),
                )
                for nodes, w in barbs:
                    svg.fill(taper(_longer(nodes, 0.5), [w[0] + 0.7, w[1] + 0.7, 0.3], step=5), c.AMBER_SHADE)
                    svg.fill(taper(nodes, [v * 0.92 for v in w], step=5), grad)
                svg.fill(taper(stem, [3.4, 2.4, 0.6], step=5), c.AMBER_LINE)
                svg.fill(taper(stem[:-1], [2.0, 1.2, 0.1], step=5), c.AMBER_LIGHT)


def draw_head_ornaments(svg: Svg) -> None:
    with svg.group("accessories"):
        for side in SIDES:
            draw_moth_pin(svg, side)


def draw_moth_pin(svg: Svg, side: Side) -> None:
    """Hair pin: a little moth with a gem body, echo of the cape."""
    ox, oy, turn = 36.0, 81.0, math.radians(38)

    def place(nodes):
        out = []
        for n in nodes:
            x = ox + n[0] * math.cos(turn) - n[1] * math.sin(turn)
            y = oy + n[0] * math.sin(turn) + n[1] * math.cos(turn)
            out.append((x, y, *n[2:]))
        return side.pts(out)

    with svg.group(f"moth_pin_{side.name}"):
        for s in (-1, 1):
            lower = shape(place([(0, 1, "c"), (s * 7, 2.5), (s * 10.5, 7.5), (s * 7.5, 12, "c"), (s * 3.5, 9.5)]))
            with svg.group(clip=lower):
                svg.flood(lower, svg.linear((0, oy - 4), (0, oy + 14), (0, "#b4586f"), (1, "#f0a690")))
                trim(svg, lower, c.AMBER_LIGHT, 1.2, 0.9, "#b4586f")
            ink(svg, lower, c.PLUM_LINE, 0.95)
        for s in (-1, 1):
            upper = shape(
                place(
                    [
                        (0, -2.5, "c"),
                        (s * 7, -7.5),
                        (s * 16.5, -8.5, "c"),
                        (s * 15, -1.5),
                        (s * 9.5, 4.2),
                        (s * 4, 3.6),
                        (0, 2.5, "c"),
                    ]
                )
            )
            with svg.group(clip=upper):
                svg.flood(
                    upper, svg.linear((0, oy - 12), (0, oy + 8), (0, c.PLUM_LIGHT), (0.6, c.PLUM_MID), (1, c.PLUM))
                )
                trim(svg, upper, c.AMBER, 1.3, 1.1, c.PLUM_SHADE)
                spot = place([(s * 9.6, -2.4)])[0]
                svg.fill(ellipse(*spot, 2.3, 2.3), c.CREAM)
                svg.fill(ellipse(*spot, 1.4, 1.4), c.AMBER_MID)
            ink(svg, upper, c.PLUM_LINE, 0.95)
        gold = shape(place([(0, -6.5, "c"), (3.8, -1.5), (3.2, 4), (0, 8.0, "c"), (-3.2, 4), (-3.8, -1.5)]))
        svg.fill(gold, svg.linear((0, oy - 7), (0, oy + 8), (0, c.AMBER_LIGHT), (0.5, c.AMBER), (1, c.AMBER_SHADE)))
        ink(svg, gold, c.AMBER_LINE, 0.9)
        gem = shape(place([(0, -3.6), (2.2, -0.6), (1.7, 2.8), (0, 4.6), (-1.7, 2.8), (-2.2, -0.6)]))
        svg.fill(gem, svg.linear((0, oy - 4), (0, oy + 5), (0, "#5c2360"), (0.5, "#a9457f"), (1, "#ffb27a")))
        gx, gy = side.p(ox, oy)
        svg.fill(ellipse(gx - 0.6, gy - 1.4, 0.8, 1.1), "#ffffff", 0.95)
