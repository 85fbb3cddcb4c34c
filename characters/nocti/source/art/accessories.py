"""Headphones round the neck and the lantern-star hair clip."""

from __future__ import annotations

import math

from . import palette as c
from .geometry import CENTRE_X, Curve, ellipse_points, off_axis, rotate, shift


def star_points(cx, cy, outer, inner, points=5, degrees=-90.0, soft=True):
    pts = []
    for k in range(points * 2):
        a = math.radians(degrees + 180.0 / points * k)
        r = inner if k % 2 else outer
        pts.append((cx + r * math.cos(a), cy + r * math.sin(a), 0 if (soft and k % 2) else 1))
    return pts


def plump_star(cx, cy, outer, points=5, degrees=-90.0):
    """A star with rounded tips and soft hollows."""
    pts = []
    for k in range(points):
        a = math.radians(degrees + 360.0 / points * k)
        w = math.radians(7.5)
        for s in (-1, 1):
            pts.append((cx + outer * math.cos(a + s * w), cy + outer * math.sin(a + s * w)))
        b = a + math.pi / points
        pts.append((cx + outer * 0.56 * math.cos(b), cy + outer * 0.56 * math.sin(b)))
    return pts


def draw_headband(layer, canvas):
    """The part of the headphones that passes behind the neck."""
    g = layer.group("headphone_band")
    arc = off_axis([(-33, 217), (-29, 208), (-19, 201.5), (0, 199.5), (19, 201.5), (29, 208), (33, 217)])
    g.ink(arc, 8.4, c.LINE_DARK, (0, 0), 1)
    g.ink(arc, 6.6, canvas.linear((0, 198), (0, 216), [(0, c.NAVY_LIGHT), (1, c.NAVY)]), (0, 0), 1)
    g.ink(shift(arc, 0, -1.7), 1.3, "#6b7dbb", (0.1, 0.1), 0.3, opacity=0.9)


def _cup(layer, canvas, side):
    cx, cy = CENTRE_X + side * 30.5, 225.0
    tilt = side * -13.0

    def oval(dx, dy, rx, ry):
        x, y = rotate([(cx + side * dx, cy + dy)], tilt, (cx, cy))[0]
        return ellipse_points(x, y, rx, ry, 12, tilt)

    layer.shape(shift(oval(0, 0, 12.4, 15.0), 0.8, 3.0), "#39456f", opacity=0.45)
    cushion = oval(-4.4, 0.8, 10.0, 13.6)
    layer.shape(
        cushion, canvas.linear((cx - 12, 0), (cx + 12, 0), [(0, c.NAVY_LIGHT), (0.5, c.NAVY_DEEP), (1, c.NAVY_DEEP)])
    )
    layer.contour(cushion, 0.85, c.LINE_DARK)
    shell = oval(0, 0, 11.6, 14.4)
    layer.shape(
        shell, canvas.linear((cx - 10, cy - 12), (cx + 10, cy + 13), [(0, "#ffffff"), (0.5, c.ICE), (1, c.ICE_DEEP)])
    )
    inside = layer.clip(shell)
    crescent = oval(0, 0, 11.6, 14.4)
    inside.shape(
        crescent,
        canvas.linear(
            (cx - 4, cy - 4), (cx + 9, cy + 12), [(0, c.ICE_SHADE, 0), (0.5, c.ICE_SHADE, 0.9), (1, c.ICE_DEEP, 1)]
        ),
    )
    layer.contour(shell, 0.9, c.LINE_CLOTH)
    ring = oval(0.4, 0, 8.3, 10.8)
    layer.shape(ring, c.GOLD_DEEP)
    layer.shape(
        oval(0.4, 0, 7.9, 10.4),
        canvas.linear((cx - 7, cy - 9), (cx + 7, cy + 9), [(0, c.GOLD_LIGHT), (0.4, c.GOLD), (1, "#ffab3d")]),
    )
    layer.shape(oval(0.4, 0, 6.3, 8.7), c.GOLD_DEEP)
    face = oval(0.4, 0, 5.9, 8.3)
    layer.shape(face, canvas.linear((0, cy - 8), (0, cy + 8), [(0, c.NAVY_DEEP), (0.6, c.NAVY), (1, "#2d6f97")]))
    x, y = rotate([(cx + side * 0.4, cy)], tilt, (cx, cy))[0]
    spark = [
        (x, y - 5.6, 1),
        (x + 1.0, y - 1.4),
        (x + 3.9, y, 1),
        (x + 1.0, y + 1.4),
        (x, y + 5.6, 1),
        (x - 1.0, y + 1.4),
        (x - 3.9, y, 1),
        (x - 1.0, y - 1.4),
    ]
    layer.shape(rotate(spark, tilt, (x, y)), c.AQUA)
    layer.ink(oval(-0.6, -0.6, 9.9, 12.6)[6:10], 1.3, "#ffffff", (0.5, 0.5))


def draw_headphones(layer, canvas):
    g = layer.group("headphones")
    for side, word in ((1, "left"), (-1, "right")):
        _cup(g.group(f"headphone_{word}"), canvas, side)


LURE = [(295, 90), (303, 68), (317, 50), (331, 43.5), (340, 47.5), (343.2, 55)]


def draw_lure(layer, canvas):
    """Hair clip with a springy antenna that ends in a small lantern star."""
    g = layer.group("lantern_clip")
    g.ink(LURE, 3.4, c.LINE_HAIR, (0, 0.3), 0.75)
    g.ink(
        LURE, 2.0, canvas.linear(LURE[0], LURE[-1], [(0, c.NAVY_LIGHT), (0.6, c.AQUA_DEEP), (1, c.AQUA)]), (0, 0.3), 0.7
    )
    g.ink([(p[0] - 0.5, p[1] - 0.2) for p in LURE], 0.55, "#d9fff8", (0.3, 0.2))
    curve = Curve(LURE)
    for t in (0.33, 0.62):
        x, y = curve.at(t)
        nx, ny = curve.normal(t)
        g.ink([(x - nx * 1.9, y - ny * 1.9), (x + nx * 1.9, y + ny * 1.9)], 2.2, c.GOLD_DEEP, (0, 0), 1)
        g.ink([(x - nx * 1.5, y - ny * 1.5), (x + nx * 1.5, y + ny * 1.5)], 1.2, c.GOLD_LIGHT, (0, 0), 1)
    # lantern
    x, y = 347.0, 64.5
    body = plump_star(x, y, 11.6, degrees=-110)
    g.shape(
        body,
        canvas.radial(
            (0, 0),
            1,
            [(0, "#fffbe0"), (0.35, "#ffe48a"), (0.7, c.GOLD), (1, c.GOLD_DEEP)],
            f"translate({x - 0.8} {y - 0.6}) scale(10.8)",
        ),
    )
    inside = g.clip(body)
    inside.shape(
        [(x + 2, y - 12, 1), (x + 3.5, y), (x - 1, y + 12, 1), (x + 14, y + 12, 1), (x + 14, y - 12, 1)],
        c.GOLD_DEEP,
        opacity=0.35,
    )
    g.contour(body, 0.85, "#8a4a2a")
    x0, y0 = LURE[-1]
    g.ellipse(x0, y0 - 0.4, 2.0, 2.0, "#8a4a2a")
    g.ellipse(x0, y0 - 0.4, 1.4, 1.4, c.GOLD_LIGHT)
    g.ellipse(x - 3.2, y - 3.4, 1.5, 2.0, "#ffffff", transform=f"rotate(35 {x - 3.2} {y - 3.4})")
    # clip plate
    plate = rotate(
        [(284, 95.5), (286, 92.6), (296, 90.6), (305, 92.8), (307, 95.5), (305, 98.4), (296, 100.4), (286, 98.4)],
        36,
        (296, 95.5),
    )
    g.shape(shift(plate, 0.8, 1.8), c.LINE_HAIR, opacity=0.6)
    g.shape(plate, canvas.linear((288, 88), (302, 104), [(0, "#ffffff"), (0.5, c.ICE_SHADE), (1, c.ICE_DEEP)]))
    g.contour(plate, 0.8, c.LINE_HAIR)
    star = star_points(295.6, 95.2, 6.6, 3.1, 5, -70, soft=False)
    g.shape(shift(star, 0.4, 0.8), c.LINE_CLOTH, opacity=0.6)
    g.shape(star, canvas.linear((291, 89), (300, 101), [(0, c.GOLD_LIGHT), (0.45, c.GOLD), (1, c.GOLD_DEEP)]))
    g.contour(star, 0.55, "#8a4a2a")


def draw_accessories(layer, canvas):
    g = layer.group("accessories")
    draw_lure(g, canvas)
