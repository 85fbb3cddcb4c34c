"""Curves: splines through points, tapered pen strokes, hair-lock surfaces.

A point is ``(x, y)``; a third, true element marks a sharp corner.
All coordinates are pixels of the 512x512 picture.
"""

from __future__ import annotations

import itertools
import math

CENTRE_X = 256.0


# ---------------------------------------------------------------- points
def mirror(points):
    """Points reflected in the vertical axis of the picture."""
    return [(2 * CENTRE_X - p[0], *p[1:]) for p in points]


def shift(points, dx=0.0, dy=0.0):
    return [(p[0] + dx, p[1] + dy, *p[2:]) for p in points]


def off_axis(points):
    """Points written relative to the picture's axis: x = distance from it."""
    return [(CENTRE_X + p[0], *p[1:]) for p in points]


def lerp(a, b, t):
    return a + (b - a) * t


def mix(p, q, t):
    return (lerp(p[0], q[0], t), lerp(p[1], q[1], t))


def smoothstep(t):
    t = min(1.0, max(0.0, t))
    return t * t * (3 - 2 * t)


def rotate(points, degrees, about=(0.0, 0.0)):
    a = math.radians(degrees)
    c, s = math.cos(a), math.sin(a)
    ax, ay = about
    return [(ax + (p[0] - ax) * c - (p[1] - ay) * s, ay + (p[0] - ax) * s + (p[1] - ay) * c, *p[2:]) for p in points]


def ellipse_points(cx, cy, rx, ry, n=8, degrees=0.0):
    pts = [(cx + rx * math.cos(2 * math.pi * i / n), cy + ry * math.sin(2 * math.pi * i / n)) for i in range(n)]
    return rotate(pts, degrees, (cx, cy))


# ---------------------------------------------------------------- splines
def _run(points, before=None, after=None):
    """Centripetal Catmull-Rom through one smooth run, as cubic Beziers."""
    pts = [(p[0], p[1]) for p in points]
    if len(pts) == 2 and before is None and after is None:
        a, b = pts
        return [(a, mix(a, b, 1 / 3), mix(a, b, 2 / 3), b)]
    out = []
    last = len(pts) - 2
    for i in range(len(pts) - 1):
        p0 = pts[i - 1] if i else before
        p1, p2 = pts[i], pts[i + 1]
        p3 = pts[i + 2] if i < last else after
        d2 = max(math.dist(p1, p2), 1e-6) ** 0.5
        c1 = c2 = None
        if p0 is not None:
            d1 = max(math.dist(p0, p1), 1e-6) ** 0.5
            k = 3 * d1 * (d1 + d2)
            c1 = tuple(
                (d1 * d1 * p2[j] - d2 * d2 * p0[j] + (2 * d1 * d1 + 3 * d1 * d2 + d2 * d2) * p1[j]) / k for j in (0, 1)
            )
        if p3 is not None:
            d3 = max(math.dist(p2, p3), 1e-6) ** 0.5
            k = 3 * d3 * (d3 + d2)
            c2 = tuple(
                (d3 * d3 * p1[j] - d2 * d2 * p3[j] + (2 * d3 * d3 + 3 * d3 * d2 + d2 * d2) * p2[j]) / k for j in (0, 1)
            )
        if c1 is None:
            c1 = mix(p1, c2, 0.5)
        if c2 is None:
            c2 = mix(p2, c1, 0.5)
        out.append((p1, c1, c2, p2))
    return out


def _is_corner(p):
    return len(p) > 2 and bool(p[2])


def runs(points, closed=False):
    """Split a point list at its corners."""
    pts = list(points)
    if closed:
        first = next((i for i, p in enumerate(pts) if _is_corner(p)), None)
        if first is None:
            return None
        pts = pts[first:] + pts[:first] + [pts[first]]
    result, current = [], [pts[0]]
    for i, p in enumerate(pts[1:], 1):
        current.append(p)
        if _is_corner(p) and i < len(pts) - 1:
            result.append(current)
            current = [p]
    result.append(current)
    return result


def spline(points, closed=False):
    """Cubic Bezier segments through the points; corners stay sharp."""
    if closed:
        parts = runs(points, True)
        if parts is None:
            pts = [p[:2] for p in points]
            return _run([*pts, pts[0]], before=pts[-1], after=pts[1])
    else:
        parts = runs(points)
    segs = []
    for part in parts:
        segs += _run(part)
    return segs


def path_data(segments, closed=False):
    def f(v):
        s = f"{v:.2f}".rstrip("0").rstrip(".")
        return "0" if s in ("-0", "") else s

    first = segments[0][0]
    d = [f"M{f(first[0])} {f(first[1])}"]
    for _, c1, c2, p in segments:
        d.append(f"C{f(c1[0])} {f(c1[1])} {f(c2[0])} {f(c2[1])} {f(p[0])} {f(p[1])}")
    if closed:
        d.append("Z")
    return "".join(d)


def _bezier(seg, t):
    a, b, c, d = seg
    u = 1 - t
    return tuple(u * u * u * a[j] + 3 * u * u * t * b[j] + 3 * u * t * t * c[j] + t * t * t * d[j] for j in (0, 1))


class Curve:
    """A spline that can be read at equal steps of arc length."""

    def __init__(self, points, closed=False, steps=14):
        pts = []
        for seg in spline(points, closed):
            if not pts:
                pts.append(seg[0])
            pts += [_bezier(seg, k / steps) for k in range(1, steps + 1)]
        self._pts = pts
        self._at = [0.0]
        for p, q in itertools.pairwise(pts):
            self._at.append(self._at[-1] + math.dist(p, q))
        self.length = self._at[-1]

    def at(self, t):
        want = min(1.0, max(0.0, t)) * self.length
        lo, hi = 0, len(self._at) - 1
        while hi - lo > 1:
            mid = (lo + hi) // 2
            if self._at[mid] <= want:
                lo = mid
            else:
                hi = mid
        span = self._at[hi] - self._at[lo] or 1.0
        return mix(self._pts[lo], self._pts[hi], (want - self._at[lo]) / span)

    def normal(self, t):
        e = 0.01
        a, b = self.at(t - e), self.at(t + e)
        n = math.dist(a, b) or 1.0
        return ((a[1] - b[1]) / n, (b[0] - a[0]) / n)

    def piece(self, a, b, n=None):
        n = n or max(3, int(abs(b - a) * self.length / 5) + 2)
        return [self.at(lerp(a, b, i / (n - 1))) for i in range(n)]


# ---------------------------------------------------------------- pen
def pen_stroke(points, width, taper=(0.35, 0.35), least=0.08, peak=None):
    """Outline of a stroke whose width swells and thins like a pen's.

    ``taper`` is the share of the length over which each end thins out;
    ``peak`` (0..1) moves the widest place there instead.
    """
    curve = points if isinstance(points, Curve) else Curve(points)
    n = max(6, min(40, int(curve.length / 3.0) + 4))
    left, right = [], []
    for i in range(n):
        t = i / (n - 1)
        if peak is not None:
            k = t / peak if t < peak else (1 - t) / (1 - peak)
            k = math.sin(0.5 * math.pi * k)
        else:
            k = 1.0
            if taper[0] > 0:
                k *= smoothstep(t / taper[0])
            if taper[1] > 0:
                k *= smoothstep((1 - t) / taper[1])
        w = width * 0.5 * max(least, k)
        x, y = curve.at(t)
        nx, ny = curve.normal(t)
        left.append((x + nx * w, y + ny * w))
        right.append((x - nx * w, y - ny * w))
    right.reverse()
    left[0] = (*left[0], 1)
    left[-1] = (*left[-1], 1)
    right[0] = (*right[0], 1)
    right[-1] = (*right[-1], 1)
    return left + right


class Lock:
    """A lock of hair between two edges that run from root to one tip.

    ``at(u, v)``: u = 0 on the left edge, 1 on the right; v = 0 root, 1 tip.
    """

    def __init__(self, left, right):
        self.left_points, self.right_points = list(left), list(right)
        self.left, self.right = Curve(left), Curve(right)

    def mirrored(self):
        return Lock(mirror(self.right_points), mirror(self.left_points))

    def shifted(self, dx, dy):
        return Lock(shift(self.left_points, dx, dy), shift(self.right_points, dx, dy))

    def at(self, u, v):
        return mix(self.left.at(v), self.right.at(v), u)

    def contour(self):
        left = list(self.left_points)
        right = list(reversed(self.right_points))
        left[0] = (*left[0][:2], 1)
        left[-1] = (*left[-1][:2], 1)
        right[-1] = (*right[-1][:2], 1)
        return left + right[1:]

    def line(self, u, v0=0.0, v1=1.0, n=None, bend=0.0):
        n = n or max(4, int(abs(v1 - v0) * self.left.length / 6) + 2)
        out = []
        for i in range(n):
            t = i / (n - 1)
            out.append(self.at(u + bend * math.sin(math.pi * t), lerp(v0, v1, t)))
        return out

    def band(self, u0, u1, v0=0.0, v1=1.0, n=14):
        """Closed shape between u0(v) and u1(v); both may be functions."""
        f0 = u0 if callable(u0) else (lambda t: u0)
        f1 = u1 if callable(u1) else (lambda t: u1)
        a, b = [], []
        for i in range(n):
            t = i / (n - 1)
            v = lerp(v0, v1, t)
            a.append(self.at(f0(t), v))
            b.append(self.at(f1(t), v))
        b.reverse()
        for side in (a, b):
            side[0] = (*side[0], 1)
            side[-1] = (*side[-1], 1)
        return a + b


def blade(spine, width, root=0.45, widest=0.5, sharp=1.7, lean=0.0):
    """A Lock round a centre line: swells to ``widest``, then runs to a point.

    ``root`` is the width at the root (share of ``width``); ``sharp`` > 1
    keeps the body full before the tip; ``lean`` moves width to one side.
    """
    curve = Curve(spine)
    n = max(8, int(curve.length / 9))
    left, right = [], []
    for i in range(n):
        t = i / (n - 1)
        if t < widest:
            w = lerp(root, 1.0, math.sin(0.5 * math.pi * t / widest))
        else:
            w = 1 - ((t - widest) / (1 - widest)) ** sharp
        w *= width
        x, y = curve.at(t)
        nx, ny = curve.normal(t)
        a, b = 0.5 + lean, 0.5 - lean
        left.append((x + nx * w * a, y + ny * w * a))
        right.append((x - nx * w * b, y - ny * w * b))
    left[-1] = right[-1] = curve.at(1.0)
    return Lock(left, right)
