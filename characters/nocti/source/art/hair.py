"""Hair: a bell-shaped bob (fringe, side locks) over long thin tendrils."""

from __future__ import annotations

import math
import random

from . import palette as c
from .geometry import Curve, blade, lerp, shift, smoothstep

CROWN = (257.0, 70.0)
HEAD_BOX = [190.5, 64.0, 321.5, 190.8]  # crown, chin; without flares

# Outer dome of the hair, left ear -> crown -> right ear, back inside.
_DOME = [
    (190.5, 158, 1),
    (190.8, 132),
    (196, 107),
    (209, 85.5),
    (230, 69.5),
    (256, 64),
    (282, 69.5),
    (303, 85.5),
    (316, 107),
    (321.2, 132),
    (321.5, 158, 1),
    (306, 150, 1),
    (298, 128),
    (284, 116),
    (256, 109),
    (228, 116),
    (214, 128),
    (206, 150, 1),
]


def fringe_locks():
    """Locks over the forehead, back to front."""
    return [
        # outermost, beside the eyes
        blade([(240, 74), (217, 98), (207.0, 124), (206.0, 146), (211.0, 170)], 15, root=0.6, widest=0.5, sharp=1.5),
        blade([(274, 74), (297, 98), (306.5, 124), (307.0, 146), (302.0, 168)], 15, root=0.6, widest=0.5, sharp=1.5),
        # short ones in the gaps
        blade([(256, 73), (249, 92), (243, 106), (239.5, 115), (239.5, 122)], 12, root=0.6, widest=0.55, sharp=1.3),
        blade([(261, 73), (267, 92), (271.5, 106), (273.5, 114), (273.0, 121)], 12, root=0.6, widest=0.55, sharp=1.3),
        # sweeping outwards, longer towards the temples
        blade([(247, 73), (227, 93), (213.5, 113), (208.5, 131), (211.5, 151)], 17, root=0.6, widest=0.5, sharp=1.45),
        blade([(267, 73), (288, 93), (301.5, 113), (305.0, 130), (302.0, 149)], 17, root=0.6, widest=0.5, sharp=1.45),
        blade([(251, 73), (234, 92), (222.0, 110), (216.0, 124), (217.0, 138)], 18, root=0.6, widest=0.5, sharp=1.4),
        blade([(264, 73), (281, 92), (292.5, 109), (297.5, 122), (296.0, 135)], 18, root=0.6, widest=0.5, sharp=1.4),
        blade([(254, 73), (242, 91), (232.0, 106), (226.5, 117), (226.5, 127)], 17, root=0.6, widest=0.5, sharp=1.35),
        blade([(262, 73), (273, 91), (281.0, 105), (285.5, 115), (286.0, 125)], 17, root=0.6, widest=0.5, sharp=1.35),
        # centre: a short lock behind, a long one between the eyes
        blade([(259, 73), (262.0, 92), (264.0, 108), (263.5, 119), (260.0, 131)], 14, root=0.6, widest=0.5, sharp=1.35),
        blade([(257, 72), (254.0, 92), (250.5, 110), (250.0, 126), (255.0, 142)], 18, root=0.6, widest=0.45, sharp=1.3),
    ]


def side_locks():
    """Locks in front of the ears that frame the face: (left, right)."""
    left = [
        blade([(213, 104), (202.5, 134), (200.5, 160), (204, 190), (212, 224)], 19, root=0.7, widest=0.45, sharp=1.5),
        blade([(208, 104), (195, 134), (193, 160), (193, 182), (183, 206)], 17, root=0.7, widest=0.5, sharp=1.6),
        blade([(214, 110), (210, 136), (209.5, 156), (211.0, 176), (217.5, 200)], 7.5, root=0.7, widest=0.4, sharp=1.5),
    ]
    right = [
        blade([(299, 104), (309.5, 134), (311.5, 160), (308.5, 190), (301, 221)], 19, root=0.7, widest=0.45, sharp=1.5),
        blade([(304, 104), (317, 134), (319, 160), (319.5, 180), (331, 202)], 17, root=0.7, widest=0.5, sharp=1.6),
        blade([(298, 110), (302, 136), (302.5, 156), (301.0, 176), (294.0, 198)], 7.5, root=0.7, widest=0.4, sharp=1.5),
    ]
    return left, right


def _base(canvas):
    """Root-to-tip colour shared by everything that grows from the crown."""
    return canvas.linear(
        (0, 64),
        (0, 226),
        [
            (0, c.HAIR_DARK),
            (0.10, c.HAIR_ROOT),
            (0.30, c.HAIR_DARK),
            (0.46, c.HAIR),
            (0.66, c.HAIR_MID),
            (0.84, c.HAIR_TEAL),
            (1, c.HAIR_TIP),
        ],
    )


def paint_lock(
    layer,
    canvas,
    lock,
    fill,
    tip=None,
    line=0.75,
    root_v=0.25,
    shade_side=1,
    shade_opacity=0.5,
    strands=(0.36, 0.6),
    gloss=0.55,
):
    """One cel-shaded lock: base, tip colour, shadow side, strands, ink."""
    g = layer.group()
    g.shape(lock.contour(), fill)
    if tip:
        g.shape(
            lock.contour(),
            canvas.linear(lock.at(0.5, 0.45), lock.at(0.5, 1.0), [(0, tip[0], 0), (0.6, tip[0], 0.75), (1, tip[1], 1)]),
        )
    far = canvas.linear(
        lock.at(0.5, root_v),
        lock.at(0.5, 1),
        [
            (0, c.HAIR_SHADE, 0),
            (0.4, c.HAIR_SHADE, shade_opacity),
            (0.85, c.HAIR_SHADE, shade_opacity * 0.8),
            (1, c.HAIR_SHADE, shade_opacity * 0.3),
        ],
    )

    def edge(t):
        k = lerp(0.82, 0.54, math.sin(math.pi * min(1, t * 1.15)))
        return k if shade_side > 0 else 1 - k

    g.shape(lock.band(edge, 1.0 if shade_side > 0 else 0.0, root_v, 0.99), far)
    if gloss:
        u = 0.2 if shade_side > 0 else 0.8
        fade = canvas.linear(
            lock.at(u, 0.4),
            lock.at(u, 0.98),
            [(0, c.HAIR_GLOW, 0), (0.55, c.HAIR_GLOW, gloss * 0.7), (1, c.HAIR_TIP, gloss)],
        )
        g.shape(
            lock.band(
                lambda t: u - 0.11 * math.sin(math.pi * t), lambda t: u + 0.11 * math.sin(math.pi * t), 0.4, 0.97
            ),
            fade,
        )
    for k, u in enumerate(strands):
        fade = canvas.linear(
            lock.at(u, root_v), lock.at(u, 1), [(0, c.LINE_HAIR, 0), (0.5, c.LINE_HAIR, 0.55), (1, c.LINE_HAIR, 0.7)]
        )
        g.ink(lock.line(u, root_v + 0.12, 0.95 - 0.08 * k), 0.45, fade, (0.75, 0.25))
    for u in (0, 1):
        g.ink(lock.line(u, root_v, 1.0), line, c.LINE_HAIR, (0.6, 0.1), least=0.05)
    return g


def wisp(layer, canvas, points, width, stops):
    """A single loose strand."""
    layer.ink(points, width, canvas.linear(points[0], points[-1], stops), (0.3, 0.8))


_TENDRIL_LINES = [
    [
        ([(206, 176), (190, 222), (164, 258), (148, 296), (124, 326), (116, 362), (96, 392)], 15),
        ([(206, 180), (188, 220), (160, 248), (134, 268), (124, 300), (104, 322)], 11),
    ],
    [
        ([(306, 176), (322, 222), (349, 258), (364, 294), (390, 322), (399, 356), (420, 380)], 15),
        ([(306, 180), (326, 222), (350, 246), (380, 270), (388, 304), (410, 330)], 11),
    ],
]

TENDRIL_STOPS = [
    (0, c.HAIR_ROOT),
    (0.28, c.HAIR_DARK),
    (0.42, c.HAIR),
    (0.58, c.HAIR_MID),
    (0.76, c.HAIR_TEAL),
    (1, c.HAIR_TIP),
]


def _bell_locks():
    """Dark ends of the bob that hang behind the neck and shoulders."""
    half = [
        blade([(216, 92), (195, 126), (188, 162), (191, 190), (203, 214)], 18, root=0.6, widest=0.5, sharp=1.7),
        blade([(208, 112), (194, 142), (190, 176), (187, 196), (174, 212)], 15, root=0.6, widest=0.5, sharp=1.6),
        blade([(210, 114), (200, 146), (198, 184), (200, 212), (194, 238)], 18, root=0.6, widest=0.5, sharp=1.6),
    ]
    other = [
        blade([(296, 92), (317, 126), (324, 162), (321, 190), (309, 213)], 18, root=0.6, widest=0.5, sharp=1.7),
        blade([(304, 112), (318, 142), (322, 176), (325, 194), (339, 208)], 15, root=0.6, widest=0.5, sharp=1.6),
        blade([(302, 114), (312, 146), (314, 184), (312, 211), (319, 235)], 18, root=0.6, widest=0.5, sharp=1.6),
    ]
    return [half[2], other[2], half[1], other[1], half[0], other[0]]


def draw_back_hair(layer, canvas):
    g = layer.group("back_hair")
    tend = g.group("tendrils")
    for lines in _TENDRIL_LINES:
        for pts, width in lines:
            lock = blade(pts, width, root=0.7, widest=0.42, sharp=1.5)
            paint_lock(tend, canvas, lock, canvas.linear(pts[0], pts[-1], TENDRIL_STOPS), root_v=0.05, strands=(0.45,))
    ends = g.group("bob_ends")
    back = canvas.linear((0, 100), (0, 236), [(0, c.HAIR_ROOT), (0.5, "#20285a"), (0.75, "#2a4a80"), (1, "#3590aa")])
    for k, lock in enumerate(_bell_locks()):
        part = paint_lock(ends, canvas, lock, back, root_v=0.2, strands=(0.5,), gloss=0.25)
        u = 0.07 if k % 2 == 0 else 0.93
        part.ink(lock.line(u, 0.25, 0.9), 1.1, "#6b93d6" if k % 2 == 0 else "#5478bd", (0.5, 0.5), opacity=0.75)
    inner = [
        (212, 120),
        (256, 112),
        (300, 120),
        (309, 160),
        (309, 200),
        (302, 226, 1),
        (292, 216),
        (280, 212),
        (256, 210),
        (232, 212),
        (220, 216),
        (210, 228, 1),
        (203, 200),
        (203, 160),
    ]
    g.shape(
        inner,
        canvas.linear((0, 150), (0, 222), [(0, "#14183a"), (0.3, "#1e4070"), (0.65, "#2f97ad"), (1, c.HAIR_TIP)]),
        id="inner_colour",
    )
    inside = g.clip(inner)
    rng = random.Random(7)
    for k in range(16):
        x = 205 + k * 6.8
        tone = "#123a66" if k % 3 else "#a5f5e4"
        inside.ink(
            [(256 + (x - 256) * 0.85, 150), (x, 185), (x + rng.uniform(-2, 2), 222)],
            rng.uniform(0.8, 2.4),
            canvas.linear((0, 150), (0, 220), [(0, tone, 0.0), (1, tone, 0.5)]),
            (0.6, 0.5),
        )


_RING_ARC = [(200, 122), (210, 109), (230, 99.5), (256, 95.5), (282, 99.5), (302, 109), (312, 122)]


def _ring(layer, canvas):
    """Highlight band round the head, woven from vertical strands."""
    arc = Curve(_RING_ARC)
    rng = random.Random(9)

    def strand(t, up, down, width, power, peak=0.42):
        x, y = arc.at(t)
        bow = (x - CROWN[0]) / 60
        pts = [(x - bow * 0.62 * up, y - up), (x, y), (x + bow * 0.40 * down, y + down)]
        layer.ink(
            pts,
            width,
            canvas.linear(
                pts[0],
                pts[-1],
                [
                    (0, "#7fc3f0", 0.0),
                    (0.30, "#c4ecff", round(0.92 * power, 3)),
                    (0.58, "#7fc3f0", round(0.72 * power, 3)),
                    (1, "#4586c8", 0.0),
                ],
            ),
            peak=peak,
        )

    def strength(t):
        wave = 0.5 + 0.5 * math.sin(t * 37.0 + 1.2 * math.sin(t * 17.0))
        side = 1.0 - 0.50 * smoothstep((t - 0.45) / 0.5)
        ends = min(1.0, min(t, 1 - t) / 0.18)
        return wave, side * ends, 0.45 + 0.55 * ends

    n = 64
    for i in range(n):  # the soft body of the band
        t = 0.04 + 0.92 * (i + 0.5) / n
        wave, power, size = strength(t)
        strand(
            t,
            (2.4 + 3.6 * wave + rng.uniform(-0.8, 0.8)) * size,
            (3.4 + 7.0 * wave + rng.uniform(-2.0, 2.0)) * size,
            rng.uniform(2.0, 3.0),
            power * (0.22 + 0.68 * wave),
        )
    for i in range(26):  # a few long crisp strands over it
        t = 0.06 + 0.88 * (i + rng.uniform(0.1, 0.9)) / 26
        wave, power, size = strength(t)
        strand(
            t,
            rng.uniform(4, 8.5) * size,
            rng.uniform(8, 15) * size,
            rng.uniform(0.7, 1.2),
            power * (0.35 + 0.6 * wave),
            0.4,
        )


def _flow(layer, canvas, rng):
    """Fine strands from the crown down the dome, dark and light."""
    for k in range(34):
        a = lerp(-1.0, 1.0, (k + rng.uniform(0.1, 0.9)) / 34)
        x1 = 256 + a * 62
        y1 = lerp(112, 138, abs(a) ** 1.5) + rng.uniform(-6, 6)
        xm = 256 + a * 46
        ym = lerp(80, 88, abs(a)) + abs(a) * 8
        start = rng.uniform(0.02, 0.35)
        curve = Curve([(257, 71), (256 + a * 24, lerp(72, 73, abs(a))), (xm, ym), (x1, y1)])
        pts = curve.piece(start, rng.uniform(0.75, 1.0), 7)
        light = k % 3 == 0
        layer.ink(
            pts,
            rng.uniform(0.5, 1.3),
            "#4a68a8" if light else c.HAIR_SHADE,
            (0.45, 0.55),
            opacity=0.30 if light else 0.45,
        )


def _front_tendrils(layer, canvas):
    """Two long strands over the jacket, each held by a gold cuff."""
    for pts, cuff_at in (
        ([(207, 150), (204, 196), (199, 232), (205, 270), (212, 304), (206, 344)], 0.43),
        ([(305, 150), (308, 196), (314, 232), (307, 270), (301, 302), (308, 338)], 0.43),
    ):
        lock = blade(pts, 10.5, root=0.9, widest=0.3, sharp=1.25)
        paint_lock(
            layer,
            canvas,
            lock,
            canvas.linear(pts[0], pts[-1], [(0, c.HAIR), (0.25, c.HAIR_MID), (0.55, c.HAIR_TEAL), (1, c.HAIR_TIP)]),
            root_v=0.1,
            strands=(0.45,),
            line=0.8,
            shade_opacity=0.42,
        )
        a, b = lock.at(-0.12, cuff_at), lock.at(1.12, cuff_at)
        d, e = lock.at(-0.12, cuff_at + 0.05), lock.at(1.12, cuff_at + 0.05)
        cuff = [(*a, 1), (*b, 1), (*e, 1), (*d, 1)]
        layer.shape(cuff, canvas.linear(a, b, [(0, c.GOLD), (0.3, c.GOLD_LIGHT), (0.6, c.GOLD), (1, c.GOLD_DEEP)]))
        layer.contour(cuff, 0.6, "#8a4a2a", ends=0.8)


def _ahoge(layer, canvas, base):
    for pts, w in (
        ([(258, 69), (250, 58), (240, 50), (226, 50)], 5.0),
        ([(257, 69), (253, 60), (247, 55), (240, 55)], 3.2),
    ):
        lock = blade(pts, w, root=0.7, widest=0.4, sharp=1.4)
        paint_lock(
            layer,
            canvas,
            lock,
            canvas.linear(pts[0], pts[-1], [(0, c.HAIR_DARK), (0.5, c.HAIR), (1, c.HAIR_TEAL)]),
            root_v=0.0,
            strands=(),
            line=0.7,
            gloss=0.4,
        )


def draw_front_hair(layer, canvas):
    g = layer.group("front_hair")
    base = _base(canvas)
    left, right = side_locks()
    _front_tendrils(g.group("front_tendrils"), canvas)
    g.shape(_DOME, base, id="dome")
    sides = g.group("side_locks")
    for locks, side in ((left, 1), (right, 1)):
        for lock in (locks[1], locks[0], locks[2]):
            paint_lock(sides, canvas, lock, base, root_v=0.15, shade_side=side)
    fringe = g.group("fringe")
    for lock in fringe_locks():
        paint_lock(fringe, canvas, lock, base, tip=(c.HAIR_MID, c.HAIR_TEAL), root_v=0.3)
    top = g.group("parting")
    for pts in (
        [(257, 71), (238, 78), (220, 94), (210, 112)],
        [(257, 71), (246, 80), (238, 92)],
        [(257, 71), (265, 80), (270, 92)],
        [(257, 71), (278, 79), (294, 95), (303, 112)],
        [(256, 69), (270, 69), (288, 77), (304, 94)],
        [(256, 69), (242, 69), (225, 77), (208, 94)],
    ):
        top.ink(pts, 0.55, c.LINE_HAIR, (0.15, 0.8), opacity=0.75)
    _flow(g.clip(_DOME, name="strands"), canvas, random.Random(5))
    light = g.clip(_DOME, name="hair_light")
    glow = canvas.radial(
        (0, 0), 1, [(0, "#6d9bdc", 0.42), (1, "#6d9bdc", 0)], "translate(236 92) rotate(-24) scale(40 17)"
    )
    light.ellipse(236, 92, 44, 30, glow)
    _ring(light.group("angel_ring", opacity=0.92), canvas)
    rim = [p[:2] for p in _DOME[:11]]
    g.ink(rim, 0.95, c.LINE_HAIR, (0.28, 0.28), least=0.04, id="dome_line")
    # cool light from behind, just inside the outline
    lit = [(p[0] + (256 - p[0]) * 0.024, p[1] + 2.0) for p in rim]
    edge = light.group("rim_light", opacity=0.75)
    edge.ink(lit[1:6], 1.5, "#7fa9e8", (0.5, 0.6))
    edge.ink(lit[5:10], 1.1, "#5f86cc", (0.6, 0.5))
    _ahoge(g.group("ahoge"), canvas, base)


def hair_shadow_shapes():
    left, right = side_locks()
    shapes = [shift(k.contour(), 1.4, 3.6) for k in fringe_locks()]
    shapes += [shift(k.contour(), 2.4, 2.5) for k in left]
    shapes += [shift(k.contour(), -0.8, 2.5) for k in right]
    shapes.append([(205, 90, 1), (307, 90, 1), (300, 120), (256, 112), (212, 120)])
    return shapes
