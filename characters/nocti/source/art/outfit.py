"""Clothes and body: bell jacket over a dark top, pleated skirt, legs."""

from __future__ import annotations

import itertools

from . import palette as c
from .geometry import CENTRE_X, Curve, lerp, mirror, off_axis, shift

BOTTOM = 530.0  # everything runs off the canvas (512)


def _sided(points, side):
    """Half-figure points (x = distance from the axis) on one side."""
    pts = off_axis(points)
    return pts if side > 0 else mirror(pts)


def _both(layer, name):
    for side, word in ((1, "left"), (-1, "right")):
        yield side, layer.group(f"{name}_{word}")


def glow_line(layer, canvas, points, width, ends=(0.06, 0.06)):
    """An accent stripe that looks lit: dark seat, gold, bright core."""
    layer.ink(points, width * 1.9, c.GOLD_DEEP, ends, least=0.3, opacity=0.55)
    layer.ink(points, width * 1.25, c.GOLD, ends, least=0.3)
    layer.ink(points, width * 0.5, c.GOLD_LIGHT, ends, least=0.3)


# ------------------------------------------------------------------ legs
def _legs(layer, canvas):
    g = layer.group("legs")
    for side, leg in _both(g, "leg"):
        thigh = _sided(
            [
                (4.5, 440, 1),
                (6.2, 470),
                (9.0, 500),
                (10.0, BOTTOM, 1),
                (43.0, BOTTOM, 1),
                (45.2, 500),
                (48.5, 468),
                (50, 440, 1),
            ],
            side,
        )
        leg.shape(thigh, canvas.linear((0, 455), (0, 505), [(0, c.SKIN_DEEP), (0.35, "#f3c8bd"), (0.8, c.SKIN)]))
        inside = leg.clip(thigh)
        inner_shade = [(2, 440, 1), (14, 440, 1), (15, 470), (17, 500), (18, BOTTOM, 1), (2, BOTTOM, 1)]
        outer_shade = [(54, 440, 1), (43, 440, 1), (40.5, 470), (38.5, 500), (37, BOTTOM, 1), (54, BOTTOM, 1)]
        inside.shape(_sided(inner_shade if side < 0 else outer_shade, side), c.SKIN_SHADE, opacity=0.75)
        inside.shape(
            _sided([(0, 440, 1), (56, 440, 1), (56, 466), (28, 473), (0, 468, 1)], side), c.SKIN_DEEP, opacity=0.75
        )
        for edge in (thigh[:4], thigh[4:]):
            leg.ink([p[:2] for p in edge], 0.95, c.LINE_SKIN, (0.05, 0.05), least=0.6)
        if side > 0:
            _thigh_strap(leg, inside, canvas, side)
            continue
        sock = _sided(
            [
                (6.6, 491.5, 1),
                (16, 494.4),
                (27, 495.4),
                (38, 493.8),
                (47.0, 490.0, 1),
                (46.2, 500),
                (44.6, BOTTOM, 1),
                (8.4, BOTTOM, 1),
                (7.4, 505),
            ],
            side,
        )
        inside.shape(shift(sock, 0, -2.2), c.SKIN_DEEP, opacity=0.45)
        leg.shape(sock, canvas.linear((0, 490), (0, 515), [(0, c.NAVY), (1, c.NAVY_DEEP)]))
        clip = leg.clip(sock)
        clip.shape(
            _sided([(24, 485, 1), (30, 485, 1), (28, BOTTOM, 1), (21, BOTTOM, 1)], side), c.NAVY_LIGHT, opacity=0.7
        )
        band = _sided([(4.7, 495.4), (16, 498.8), (27, 499.8), (38, 498.2), (48.7, 494.0)], side)
        clip.ink(band, 1.7, c.AQUA, (0, 0), least=1)
        leg.contour(sock, 0.8, c.LINE_DARK)


def _thigh_strap(layer, skin, canvas, side):
    strap = _sided(
        [
            (7.0, 486.5, 1),
            (16, 489.8),
            (27, 491),
            (38, 489.2),
            (47.0, 485, 1),
            (46.2, 492.5, 1),
            (37.5, 496.4),
            (27, 498),
            (17, 496.8),
            (7.8, 493.6, 1),
        ],
        side,
    )
    skin.shape(shift(strap, 0, 2.4), c.SKIN_DEEP, opacity=0.6)
    layer.shape(
        strap,
        canvas.linear(
            _sided([(6, 0)], side)[0],
            _sided([(48, 0)], side)[0],
            [(0, c.NAVY_DEEP), (0.45, c.NAVY_LIGHT), (0.7, c.NAVY), (1, c.NAVY_DEEP)],
        ),
    )
    inside = layer.clip(strap)
    glow_line(
        inside, canvas, _sided([(6.5, 490.2), (16, 493.4), (27, 494.6), (38, 492.8), (47, 488.8)], side), 0.9, (0, 0)
    )
    layer.contour(strap, 0.8, c.LINE_DARK)
    tag = _sided([(33, 487.6, 1), (39, 486.6, 1), (39.6, 498.0, 1), (36.6, 500.4), (33.6, 498.8, 1)], side)
    layer.shape(tag, canvas.linear((0, 486), (0, 500), [(0, c.ICE), (1, c.ICE_DEEP)]))
    layer.contour(tag, 0.7, c.LINE_CLOTH, ends=0.8)


# ----------------------------------------------------------------- skirt
def _skirt(layer, canvas):
    g = layer.group("skirt")
    waist_y, hem_y, n = 352.0, 457.0, 9
    top_w, hem_w = 33.0, 63.0
    hem, edges = [], []
    for i in range(n + 1):
        f = i / n * 2 - 1
        x = CENTRE_X + f * hem_w
        y = hem_y + 5.5 * (1 - f * f)
        hem.append((x, y))
        edges.append((CENTRE_X + f * top_w, waist_y))
    outline = [(CENTRE_X - top_w, waist_y, 1)]
    outline += [(CENTRE_X - top_w - 16, 396), (*hem[0], 1)]
    for i in range(n):
        a, b = hem[i], hem[i + 1]
        lift = 2.6
        outline.append((lerp(a[0], b[0], 0.5), lerp(a[1], b[1], 0.5) + 0.9))
        outline.append((lerp(a[0], b[0], 0.97), b[1] + 0.6, 1))
        if i < n - 1:
            outline.append((b[0] + 0.4, b[1] - lift, 1))
    outline += [(CENTRE_X + top_w + 16, 396), (CENTRE_X + top_w, waist_y, 1)]
    # glowing frill, the margin of the bell, under the hem
    frill = [(CENTRE_X - 55, 440, 1), (CENTRE_X - 59.5, 456, 1)]
    cusps = [(CENTRE_X + 59.5 * (k / 11 * 2 - 1), 461.5 + 5.5 * (1 - (k / 11 * 2 - 1) ** 2)) for k in range(12)]
    for (x0, y0), (x1, y1) in itertools.pairwise(cusps):
        frill += [(x0, y0, 1), (lerp(x0, x1, 0.5), (y0 + y1) / 2 + 4.4)]
    frill += [(*cusps[-1], 1), (CENTRE_X + 55, 440, 1)]
    g.shape(frill, canvas.linear((0, 456), (0, 472), [(0, "#1d5c86"), (0.5, c.AQUA_DEEP), (1, "#9df3ea")]), id="frill")
    clip = g.clip(frill)
    for x, y in cusps[1:-1]:
        clip.ink([(CENTRE_X + (x - CENTRE_X) * 0.97, y - 8), (x, y + 0.5)], 1.3, "#1d5c86", (0.1, 0.5), 0.2)
    g.contour(frill, 0.7, "#1b4470", ends=0.7)
    g.shape(
        outline,
        canvas.linear((0, 380), (0, 462), [(0, c.NAVY_DEEP), (0.35, c.NAVY), (0.72, "#2f4c86"), (1, "#3287a8")]),
    )
    inside = g.clip(outline)
    for i in range(n):
        a, b = hem[i], hem[i + 1]
        ta, tb = edges[i], edges[i + 1]

        def at(u, v):
            x0 = lerp(ta[0], a[0], v**0.9)
            x1 = lerp(tb[0], b[0], v**0.9)
            return (lerp(x0, x1, u), lerp(ta[1], lerp(a[1], b[1], u) + 3, v))

        dark = canvas.linear(
            (0, 352), (0, 462), [(0, c.NAVY_DEEP, 0.9), (0.7, c.NAVY_DEEP, 0.75), (1, c.NAVY_DEEP, 0.62)]
        )
        inside.shape(
            [(*at(0.66, 0), 1), at(0.62, 0.5), (*at(0.70, 1), 1), (*at(1, 1), 1), at(1, 0.5), (*at(1, 0), 1)], dark
        )
        inside.shape(
            [(*at(0.06, 0.25), 1), at(0.03, 0.6), (*at(0.03, 1), 1), (*at(0.17, 1), 1), at(0.14, 0.6)],
            "#5c86c0",
            opacity=0.45,
        )
        if i:
            inside.ink([at(0.0, 0.08), at(0.0, 0.5), at(0.0, 1.0)], 0.8, c.LINE_DARK, (0.3, 0.02), least=0.2)
    # twin trim along the hem
    for lift, width, tone in ((9.0, 1.9, c.NAVY_DEEP), (5.6, 0.9, "#8ff0e6")):
        for i in range(n):
            a, b = hem[i], hem[i + 1]
            inside.ink(
                [
                    (a[0] + 0.5, a[1] - lift),
                    (lerp(a[0], b[0], 0.5), lerp(a[1], b[1], 0.5) - lift + 0.7),
                    (b[0] - 0.2, b[1] - lift + 0.6),
                ],
                width,
                tone,
                (0, 0),
                1,
                opacity=0.95 if i < 6 else 0.8,
            )
    inside.shape(
        off_axis(
            [
                (-80, 340, 1),
                (80, 340, 1),
                (98, 425),
                (60, 430),
                (38, 414),
                (30, 380),
                (0, 372),
                (-30, 380),
                (-38, 410),
                (-60, 424),
                (-98, 420),
            ]
        ),
        c.LINE_DARK,
        opacity=0.42,
    )
    g.contour(outline, 0.9, c.LINE_DARK, taper=0.1, ends=0.6)


# ------------------------------------------------------------------- top
def _top(layer, canvas):
    g = layer.group("top")
    half = [(25, 206, 1), (33, 232), (41, 262), (36, 300), (29, 336), (34, 360, 1)]
    neckline = [(-25, 206, 1), (-20.5, 217), (-11.5, 226), (0, 229.5), (11.5, 226), (20.5, 217)]
    right = off_axis(half)
    body = right + list(reversed(mirror(right)))[:-1] + off_axis(neckline)
    g.shape(body, canvas.linear((0, 225), (0, 360), [(0, c.TOP), (0.45, "#28315f"), (1, c.TOP_DEEP)]))
    inside = g.clip(body)
    inside.shape(
        off_axis([(8, 226, 1), (44, 210, 1), (44, 360, 1), (14, 360, 1), (13, 330), (16, 300), (19, 280), (15, 256)]),
        c.TOP_DEEP,
        opacity=0.6,
    )
    inside.shape(
        off_axis([(-44, 212, 1), (-20, 218, 1), (-17, 250), (-21, 300), (-17, 360, 1), (-44, 360, 1)]),
        c.TOP_DEEP,
        opacity=0.45,
    )
    inside.shape(
        off_axis([(-40, 274, 1), (0, 280.5), (40, 274, 1), (22, 284), (0, 287.5), (-22, 284)]), c.TOP_DEEP, opacity=0.5
    )
    for pts in (
        [(-20, 322), (-10, 330), (2, 332)],
        [(21, 314), (12, 324), (4, 327)],
        [(-20, 337), (-11, 342), (-1, 343)],
    ):
        inside.ink(off_axis(pts), 0.8, c.LINE_DARK, (0.4, 0.6), opacity=0.8)
    for side in (-1, 1):  # princess seams
        inside.ink(_sided([(17, 226), (15.5, 246), (13.5, 266)], side), 0.55, "#55659f", (0.2, 0.2), opacity=0.8)
        inside.ink(_sided([(13, 277), (11.5, 310), (14.5, 346)], side), 0.55, "#55659f", (0.2, 0.2), opacity=0.8)
    # neck trim
    trim = off_axis([(-24, 210), (-19.5, 219), (-11, 227.6), (0, 231), (11, 227.6), (19.5, 219), (24, 210)])
    g.ink(trim, 2.9, c.NAVY_LIGHT, (0, 0), 1)
    g.ink(shift(trim, 0, 1.2), 0.8, c.AQUA, (0.05, 0.05), 0.5)
    g.ink(shift(trim, 0, -1.6), 0.75, c.LINE_DARK, (0.05, 0.05), 0.5)
    # centre seam and chest strap with its clasp
    inside.ink(off_axis([(0, 233), (0.3, 290), (0, 350)]), 0.6, c.LINE_DARK, (0.1, 0.1), 0.4)
    strap = off_axis([(-40, 263, 1), (0, 268.5), (40, 263, 1), (40, 269, 1), (0, 274.5), (-40, 269, 1)])
    inside.shape(shift(strap, 0.6, 2.2), c.LINE_DARK, opacity=0.55)
    inside.shape(strap, canvas.linear((226, 0), (286, 0), [(0, "#55659f"), (0.4, "#6d7db5"), (1, "#3d4a82")]))
    inside.contour(strap, 0.6, c.LINE_DARK)
    buckle = off_axis([(-6.5, 266.6, 1), (6.5, 266.6, 1), (8, 271.4), (6.5, 276.4, 1), (-6.5, 276.4, 1), (-8, 271.4)])
    inside.shape(shift(buckle, 0.6, 1.5), c.LINE_DARK, opacity=0.5)
    inside.shape(buckle, canvas.linear((0, 266), (0, 277), [(0, c.ICE), (1, c.ICE_DEEP)]))
    inside.contour(buckle, 0.6, c.LINE_CLOTH)
    inside.shape(
        off_axis([(-3.6, 269.6, 1), (3.6, 269.6, 1), (3.6, 273.4, 1), (-3.6, 273.4, 1)]),
        canvas.linear((0, 269), (0, 274), [(0, c.GOLD_LIGHT), (0.5, c.GOLD), (1, c.GOLD_DEEP)]),
    )
    # belt of the skirt
    belt = off_axis([(-34, 345, 1), (0, 349.5), (34, 345, 1), (36, 354, 1), (0, 358.5), (-36, 354, 1)])
    g.shape(belt, canvas.linear((220, 0), (292, 0), [(0, "#46548f"), (0.45, "#5b6aa6"), (1, c.NAVY)]))
    g.contour(belt, 0.7, c.LINE_DARK)
    ring = off_axis([(-5, 347.6, 1), (5, 347.6, 1), (5, 358.6, 1), (-5, 358.6, 1)])
    g.shape(ring, c.ICE_SHADE)
    g.contour(ring, 0.6, c.LINE_CLOTH)
    g.shape(off_axis([(-2.6, 350.2, 1), (2.6, 350.2, 1), (2.6, 356, 1), (-2.6, 356, 1)]), c.NAVY_DEEP)


# ---------------------------------------------------------------- jacket
_PANEL = [(18, 212, 1), (20, 258), (24, 300), (30, 350), (37.5, 392), (43, 407, 1)]
_PANEL_SIDE = [(97, 404, 1), (89, 360), (78, 312), (70, 268), (64, 236), (48, 214, 1)]
_HEM_CUSPS = [(43, 407), (56.5, 413), (70.5, 415), (84, 412.5), (97, 404)]
_PLACKET = Curve([(20, 250), (24, 300), (30, 350), (37.5, 392), (43, 407)])

_SLEEVE = [
    (45, 213, 1),
    (64, 220),
    (79, 239),
    (90, 276),
    (100, 312),
    (113, 346),
    (123.5, 374),
    (123, 394),
    (115.5, 405, 1),
    (96, 410, 1),
    (84.5, 398),
    (78.5, 374),
    (76.5, 344),
    (73, 306),
    (67.5, 276, 1),
    (56, 244),
]
_SLEEVE_OUTER = _SLEEVE[:9]
_SLEEVE_INNER = [(66.8, 270), *_SLEEVE[14:9:-1]]


def _hem(depth=5.0):
    pts = []
    for (x0, y0), (x1, y1) in itertools.pairwise(_HEM_CUSPS):
        mx, my = (x0 + x1) / 2, (y0 + y1) / 2
        pts += [
            (x0, y0, 1),
            (lerp(x0, mx, 0.45), lerp(y0, my, 0.45) + depth * 0.8),
            (mx, my + depth),
            (lerp(mx, x1, 0.55), lerp(my, y1, 0.55) + depth * 0.8),
        ]
    return [*pts, (*_HEM_CUSPS[-1], 1)]


def _ice(canvas, y0, y1):
    """Ice white that sinks into sea colour towards the margin."""
    return canvas.linear((0, y0), (0, y1), [(0, c.ICE), (0.55, "#eaf3ff"), (0.78, "#bfeaf2"), (1, "#6fd3dc")])


def _panel(side):
    return _sided(_PANEL[:-1] + _hem() + _PANEL_SIDE[1:], side)


def _jacket_body(layer, canvas, side):
    panel = _panel(side)
    layer.shape(panel, _ice(canvas, 300, 416))
    inside = layer.clip(panel)
    # shade: from the hood, from the sleeve, and long soft folds
    inside.shape(_sided([(14, 205, 1), (70, 210, 1), (70, 246), (52, 262), (34, 274), (16, 282, 1)], side), c.ICE_SHADE)
    inside.shape(
        _sided(
            [(64, 262, 1), (63, 282), (66, 310), (71, 340), (79, 378), (86, 420, 1), (104, 420, 1), (92, 300, 1)], side
        ),
        c.ICE_SHADE,
        opacity=0.95,
    )
    inside.shape(
        _sided([(65, 264, 1), (68, 300), (75, 336), (86, 384), (95, 420, 1), (104, 420, 1), (92, 300, 1)], side),
        c.ICE_DEEP,
        opacity=0.8,
    )
    for pts in (
        [(66, 280, 1), (57, 296), (50, 318), (48, 342, 1), (54, 320), (62, 304), (68, 298, 1)],
        [(43, 322, 1), (47, 366), (52, 424, 1), (59, 424, 1), (52, 370)],
        [(67, 336, 1), (69, 380), (74, 426, 1), (81, 425, 1), (74, 380)],
        [(65, 268, 1), (54, 277), (44, 280, 1), (54, 281), (66, 277, 1)],
    ):
        inside.shape(_sided(pts, side), c.ICE_SHADE, opacity=0.85)
    for pts in ([(66.5, 281), (57.5, 297), (51, 318)], [(65.5, 269), (55, 277), (47, 279)]):
        inside.ink(_sided(pts, side), 0.6, c.LINE_CLOTH_SOFT, (0.05, 0.85))
    # trim band above the scalloped margin
    low = [(43, 407), (56.5, 413), (70.5, 415), (84, 412.5), (97, 404)]
    band = [(p[0] - 2.0, p[1] - 11.5) for p in low] + [(p[0] - 0.5, p[1] - 5.5) for p in reversed(low)]
    band[0] = (*band[0], 1)
    band[4] = (*band[4], 1)
    band[5] = (*band[5], 1)
    band[-1] = (*band[-1], 1)
    inside.shape(_sided(band, side), canvas.linear((0, 395), (0, 412), [(0, c.NAVY_LIGHT), (1, c.NAVY)]))
    for (x0, y0), (x1, y1) in itertools.pairwise(_HEM_CUSPS):
        dot = _sided([((x0 + x1) / 2 - 0.3, (y0 + y1) / 2 + 0.2)], side)[0]
        inside.ellipse(*dot, 2.1, 1.9, c.GOLD_DEEP, opacity=0.6)
        inside.ellipse(*dot, 1.6, 1.45, c.GOLD)
        inside.ellipse(dot[0] - 0.3, dot[1] - 0.3, 0.75, 0.7, c.GOLD_LIGHT)
    # placket: dark strip down the open front with the light line in it
    a = [_PLACKET.at(t / 10) for t in range(11)]
    b = [(x + lerp(6.4, 5.4, k / 10), y - lerp(0, 3.5, k / 10)) for k, (x, y) in enumerate(a)]
    strip = [(*a[0], 1), *a[1:-1], (*a[-1], 1), (*b[-1], 1), *list(reversed(b[1:-1])), (*b[0], 1)]
    inside.shape(_sided(strip, side), canvas.linear((0, 250), (0, 405), [(0, c.NAVY), (1, c.NAVY_DEEP)]))
    inside.ink(_sided(b, side), 0.6, c.LINE_DARK, (0, 0), 1)
    middle = [(x + 3.0, y - 1.2) for x, y in a][1:]
    glow_line(inside, canvas, _sided(middle, side), 1.15)
    # slanted pocket
    pocket = [(52, 344), (59, 360), (64, 378)]
    inside.ink(_sided(shift(pocket, 1.6, 1.2), side), 4.2, c.ICE_DEEP, (0.1, 0.1), 0.5, opacity=0.9)
    inside.ink(_sided(pocket, side), 3.4, c.NAVY, (0.05, 0.05), 0.7)
    inside.ink(_sided(pocket, side), 0.8, c.AQUA, (0.1, 0.1), 0.6)
    layer.contour(panel, 0.9, c.LINE_CLOTH, ends=0.6, taper=0.08)


def _sleeve(layer, canvas, side):
    sleeve = _sided(_SLEEVE, side)
    layer.shape(
        sleeve,
        canvas.linear(
            (0, 214), (0, 410), [(0, c.ICE), (0.55, "#f0f6ff"), (0.76, "#c8edf5"), (0.92, "#7ed8e2"), (1, "#52bfd0")]
        ),
    )
    inside = layer.clip(sleeve)
    lit = side < 0
    # core shade runs down the side away from the light
    outer = [
        (130, 200, 1),
        (70, 222, 1),
        (76, 246),
        (85, 280),
        (94, 312),
        (104, 346),
        (113, 376),
        (110, 400),
        (104, 412, 1),
        (132, 412, 1),
    ]
    inner = [
        (62, 254, 1),
        (70, 276),
        (77, 300),
        (83, 320),
        (88, 346),
        (91, 374),
        (95, 396),
        (100, 414, 1),
        (60, 414, 1),
    ]
    inside.shape(_sided(inner if lit else outer, side), c.ICE_SHADE, opacity=0.95)
    inside.shape(
        _sided([(64, 258, 1), (70, 282), (76, 306), (80, 330), (81, 354), (84, 384), (91, 412, 1), (60, 412, 1)], side),
        c.ICE_DEEP,
        opacity=0.75,
    )
    # elbow creases
    for pts in (
        [(71, 318, 1), (82, 325), (92, 323, 1), (84, 331), (74, 330, 1)],
        [(107, 326, 1), (97, 336), (88, 338, 1), (99, 341), (112, 338, 1)],
        [(76, 344, 1), (86, 347), (93, 345, 1), (86, 352), (77, 352, 1)],
    ):
        inside.shape(_sided(pts, side), c.ICE_DEEP, opacity=0.75)
    for pts in (
        [(71, 318), (82, 325), (92, 323)],
        [(108, 327), (97, 336), (88, 338)],
        [(77, 345), (86, 347.6), (93, 345)],
    ):
        inside.ink(_sided(pts, side), 0.7, c.LINE_CLOTH_SOFT, (0.1, 0.8))
    # gathers of the puff, running into the cuff
    for x0, y0, x1, lean in ((87, 372, 98, -1), (94, 354, 102, -1), (103, 352, 107, 1), (112, 360, 111.5, 2.5)):
        inside.shape(
            _sided(
                [
                    (x0, y0, 1),
                    (lerp(x0, x1, 0.5) + lean, (y0 + 408) / 2),
                    (x1, 412, 1),
                    (x1 + 3.6, 411, 1),
                    (lerp(x0, x1, 0.55) + lean + 2.4, (y0 + 408) / 2),
                ],
                side,
            ),
            "#3f9fc2",
            opacity=0.55,
        )
        inside.ink(
            _sided([(x0 - 2.0, y0 + 8), (lerp(x0, x1, 0.5) + lean - 2.6, (y0 + 408) / 2), (x1 - 2, 409)], side),
            1.5,
            "#ffffff",
            (0.6, 0.3),
            opacity=0.75,
        )
    # arm band with the light line
    top_edge = [(64, 291), (78, 296), (90, 293), (99, 285)]
    low_edge = [(68, 306), (82, 310.5), (95, 307), (106, 299)]
    band = [
        (*top_edge[0], 1),
        *top_edge[1:-1],
        (*top_edge[-1], 1),
        (*low_edge[-1], 1),
        *reversed(low_edge[1:-1]),
        (*low_edge[0], 1),
    ]
    inside.shape(
        _sided(band, side),
        canvas.linear(
            _sided([(70, 0)], side)[0],
            _sided([(102, 0)], side)[0],
            [(0, c.NAVY_DEEP), (0.5, c.NAVY), (1, c.NAVY_LIGHT if lit else c.NAVY)],
        ),
    )
    for edge in (top_edge, low_edge):
        inside.ink(_sided(edge, side), 0.6, c.LINE_DARK, (0, 0), 1)
    mid = [(lerp(p[0], q[0], 0.5), lerp(p[1], q[1], 0.5)) for p, q in zip(top_edge, low_edge, strict=False)]
    glow_line(inside, canvas, _sided(mid, side), 1.5, (0, 0))
    if side > 0:  # signal bars, the streamer's badge
        for k in range(3):
            foot = (75.2 + k * 4.3, 281.5 - k * 1.5)
            bar = [
                (foot[0], foot[1], 1),
                (foot[0] + 2.7, foot[1] - 0.9, 1),
                (foot[0] + 2.7 - 1.1 * (k + 1) * 0.5, foot[1] - 3.6 - 3.0 * k, 1),
                (foot[0] - 1.1 * (k + 1) * 0.5, foot[1] - 2.7 - 3.0 * k, 1),
            ]
            inside.shape(_sided(bar, side), c.GOLD if k == 2 else c.AQUA_DEEP)
            inside.contour(_sided(bar, side), 0.45, c.LINE_CLOTH, ends=0.9)
    # dropped shoulder seam
    seam = [(60, 256), (71, 259), (82, 250), (88, 240)]
    inside.ink(_sided(shift(seam, 0, 1.3), side), 1.8, c.ICE_SHADE, (0.1, 0.1), 0.5)
    inside.ink(_sided(seam, side), 0.6, c.LINE_CLOTH_SOFT, (0.1, 0.1), 0.5)
    layer.ink(_sided(_SLEEVE_OUTER, side), 0.95, c.LINE_CLOTH, (0.05, 0.05), 0.5)
    layer.ink(
        _sided([(64.5, 262), (67.0, 276), (73, 306), (76.5, 344), (78.5, 374), (84.5, 398), (96, 410)], side),
        0.95,
        c.LINE_CLOTH,
        (0.15, 0.05),
        0.1,
    )
    layer.ink(_sided([(96, 410), (106, 409), (115.5, 405)], side), 0.95, c.LINE_CLOTH, (0, 0), 1)


def _cuff(layer, canvas, side):
    cuff = _sided(
        [
            (95.6, 407.6, 1),
            (106, 406.4),
            (115.8, 402.6, 1),
            (117.5, 412),
            (117.6, 418, 1),
            (108, 422.4),
            (98.6, 423, 1),
            (96.6, 416),
        ],
        side,
    )
    layer.shape(
        cuff,
        canvas.linear(
            _sided([(96, 0)], side)[0],
            _sided([(118, 0)], side)[0],
            [(0, c.NAVY_DEEP), (0.5, c.NAVY), (0.8, c.NAVY_LIGHT), (1, c.NAVY)],
        ),
    )
    inside = layer.clip(cuff)
    for k in range(5):
        x = 99.5 + k * 3.7
        inside.ink(
            _sided([(x, 407), (x + 0.8, 415), (x + 1.2, 424)], side), 0.7, c.LINE_DARK, (0.1, 0.1), 0.4, opacity=0.7
        )
    glow_line(inside, canvas, _sided([(96, 419.5), (107, 418.6), (118, 414.8)], side), 0.85, (0, 0))
    layer.contour(cuff, 0.85, c.LINE_DARK, ends=0.7)


def _hand(layer, canvas, side):
    """Relaxed hand, back of it towards the viewer, fingers down."""
    skin = canvas.linear((0, 416), (0, 452), [(0, "#f6cfc3"), (0.4, c.SKIN), (1, "#fbd9cd")])
    fingers = [
        ([(104, 430), (102.6, 440), (102.9, 449.5)], 4.6),
        ([(107, 430), (106.4, 442), (106.6, 452.5)], 4.8),
        ([(110.2, 429), (110.6, 441), (110.2, 451.0)], 4.7),
        ([(113, 428), (114.2, 437), (113.4, 446.5)], 4.2),
    ]
    for pts, width in fingers[::-1]:
        curve = Curve(pts)
        n = 6
        left, right = [], []
        for i in range(n):
            t = i / (n - 1)
            w = width * 0.5 * (1 if t < 0.8 else (1 - ((t - 0.8) / 0.2) ** 2 * 0.38))
            x, y = curve.at(t)
            left.append((x - w, y))
            right.append((x + w, y))
        tip = (curve.at(1)[0], curve.at(1)[1] + 0.9)
        shape = _sided([(*left[0], 1), *left[1:], tip, *right[::-1][:-1], (*right[0], 1)], side)
        layer.shape(shape, skin)
        layer.ink(_sided([*left, tip, *right[::-1]], side), 0.7, c.LINE_SKIN, (0.12, 0.12), 0.3)
    thumb = _sided(
        [(100.6, 421, 1), (97.8, 428), (97.2, 435), (98.6, 441.0), (101.4, 440.4), (102.2, 434), (104, 427, 1)], side
    )
    back = _sided(
        [(99.6, 419, 1), (116, 416, 1), (116.2, 424), (115.2, 431), (109, 434.6), (102.2, 433), (99.8, 427)], side
    )
    layer.shape(back, skin)
    layer.shape(thumb, skin)
    layer.ink(
        _sided([(99.8, 422), (97.7, 428), (97.1, 435), (98.6, 441.0), (101.4, 440.4), (102.3, 434)], side),
        0.8,
        c.LINE_SKIN,
        (0.1, 0.2),
        0.3,
    )
    layer.ink(_sided([(116.1, 418), (116.4, 424), (115.4, 431)], side), 0.8, c.LINE_SKIN, (0.1, 0.2), 0.3)
    layer.clip(back, thumb).shape(
        _sided([(95, 415, 1), (119, 412, 1), (118, 421.5), (108, 426), (96, 427)], side), c.SKIN_DEEP, opacity=0.6
    )


def _hood(layer, canvas, side):
    hood = _sided(
        [
            (14, 203, 1),
            (24, 199),
            (42, 202),
            (58, 212),
            (65, 228),
            (58, 243),
            (44, 255),
            (31, 264),
            (23.0, 270),
            (19.6, 270.5, 1),
            (18.6, 256),
            (19.6, 238),
            (19, 220),
        ],
        side,
    )
    under = layer.clip(_panel(side), _sided(_SLEEVE, side))
    under.shape(shift(hood, 0, 3.4), c.ICE_DEEP, opacity=0.55)
    layer.shape(hood, canvas.linear((0, 200), (0, 270), [(0, "#dfe8fb"), (0.3, c.ICE), (1, "#e6eefc")]))
    inside = layer.clip(hood)
    lining = _sided(
        [(10, 198, 1), (26, 198, 1), (29, 214), (28.8, 232), (26.2, 252), (23.4, 276, 1), (10, 276, 1)], side
    )
    inside.shape(shift(lining, 2.6 * side, 1.5), c.ICE_SHADE)
    inside.shape(lining, canvas.linear((0, 200), (0, 270), [(0, c.NAVY_DEEP), (0.6, c.NAVY), (1, c.NAVY_LIGHT)]))
    inside.ink(
        _sided([(26, 199), (29, 214), (28.8, 232), (26.2, 252), (23.6, 272)], side), 0.75, c.LINE_CLOTH, (0.1, 0.1), 0.4
    )
    inside.shape(
        _sided([(66, 214, 1), (60, 232), (46, 246), (30, 256), (22, 266, 1), (18, 278, 1), (70, 262, 1)], side),
        c.ICE_SHADE,
    )
    for pts in ([(31, 212), (38, 226), (36, 244)], [(46, 208), (50, 222), (45, 238)]):
        inside.ink(_sided(shift(pts, 1.6, 0.6), side), 2.6, c.ICE_SHADE, (0.3, 0.6), opacity=0.9)
    layer.contour(hood, 0.9, c.LINE_CLOTH, ends=0.6, taper=0.1)
    # draw-cord with a lantern-gold tip
    cord = _sided([(30.5, 255.5), (32.6, 268), (31.6, 282), (33.0, 294)], side)
    eye = cord[0]
    layer.ellipse(eye[0], eye[1], 2.5, 2.5, c.LINE_CLOTH)
    layer.ellipse(eye[0], eye[1], 1.9, 1.9, c.GOLD)
    layer.ellipse(eye[0], eye[1], 1.0, 1.0, c.LINE_DARK)
    layer.ink(shift(cord, 1.2, 1.0), 1.9, c.ICE_DEEP, (0.02, 0.02), 0.8, opacity=0.7)
    layer.ink(cord, 2.3, c.LINE_CLOTH, (0.02, 0.02), 0.8)
    layer.ink(cord, 1.4, c.AQUA, (0.02, 0.02), 0.8)
    x, y = cord[-1]
    tip = [(x - 1.5, y - 1, 1), (x + 1.5, y - 1, 1), (x + 1.7, y + 5.4), (x, y + 7.4), (x - 1.7, y + 5.4)]
    layer.shape(tip, canvas.linear((x - 2, 0), (x + 2, 0), [(0, c.GOLD_LIGHT), (0.5, c.GOLD), (1, c.GOLD_DEEP)]))
    layer.contour(tip, 0.6, c.LINE_CLOTH)


def draw_body(layer, canvas):
    g = layer.group("body")
    lining = off_axis([(-30, 215, 1), (30, 215, 1), (40, 300), (66, 404, 1), (0, 396), (-66, 404, 1), (-40, 300)])
    g.shape(lining, canvas.linear((0, 240), (0, 400), [(0, c.NAVY_DEEP), (1, c.AQUA_DEEP)]), id="jacket_lining")
    _legs(g, canvas)


def draw_clothes(layer, canvas):
    g = layer.group("clothes")
    _skirt(g, canvas)
    _top(g, canvas)
    for side, part in _both(g.group("jacket"), "jacket_front"):
        _jacket_body(part, canvas, side)
    for side, part in _both(g.group("arms"), "arm"):
        _hand(part.group(), canvas, side)
        _sleeve(part.group(), canvas, side)
        _cuff(part.group(), canvas, side)
    for side, part in _both(g.group("hood"), "hood"):
        _hood(part, canvas, side)
