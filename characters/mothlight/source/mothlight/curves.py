"""Curve construction: smooth splines, closed shapes, tapered strokes.

All coordinates are pixels of the 512 x 512 canvas.

A *node* is ``(x, y)`` or ``(x, y, "c")``; ``"c"`` marks a corner.  Between two
corners the curve is a Hobby spline (the METAFONT rule), which gives round,
calm curves from very few nodes.
"""

from __future__ import annotations

import cmath
import itertools
import math
from dataclasses import dataclass

CENTRE_X = 256.0


# --------------------------------------------------------------------------
# Bezier pieces
# --------------------------------------------------------------------------
def _hobby_velocity(theta: float, phi: float) -> float:
    root5 = math.sqrt(5.0)
    top = 2 + math.sqrt(2) * (math.sin(theta) - math.sin(phi) / 16) * (math.sin(phi) - math.sin(theta) / 16) * (
        math.cos(theta) - math.cos(phi)
    )
    bottom = 3 * (1 + 0.5 * (root5 - 1) * math.cos(theta) + 0.5 * (3 - root5) * math.cos(phi))
    return top / bottom


def hobby(points: list[tuple[float, float]]) -> list[tuple[complex, complex, complex, complex]]:
    """Open Hobby spline through the points, as cubic Bezier pieces."""
    z = [complex(p[0], p[1]) for p in points]
    # drop repeated points
    z = [p for i, p in enumerate(z) if i == 0 or abs(p - z[i - 1]) > 1e-9]
    n = len(z) - 1
    if n < 1:
        return []
    if n == 1:
        step = (z[1] - z[0]) / 3
        return [(z[0], z[0] + step, z[1] - step, z[1])]
    delta = [z[k + 1] - z[k] for k in range(n)]
    dist = [abs(d) for d in delta]
    psi = [0.0] * (n + 1)
    for k in range(1, n):
        psi[k] = cmath.phase(delta[k] / delta[k - 1])
    # tridiagonal system for the departure angles theta
    low, mid, high, rhs = ([0.0] * (n + 1) for _ in range(4))
    mid[0], high[0], rhs[0] = 1.0, 1.0, -psi[1]
    for k in range(1, n):
        low[k] = 1 / dist[k - 1]
        mid[k] = 2 / dist[k - 1] + 2 / dist[k]
        high[k] = 1 / dist[k]
        rhs[k] = -2 * psi[k] / dist[k - 1] - psi[k + 1] / dist[k]
    low[n], mid[n], rhs[n] = 1.0, 1.0, 0.0
    for k in range(1, n + 1):
        factor = low[k] / mid[k - 1]
        mid[k] -= factor * high[k - 1]
        rhs[k] -= factor * rhs[k - 1]
    theta = [0.0] * (n + 1)
    theta[n] = rhs[n] / mid[n]
    for k in range(n - 1, -1, -1):
        theta[k] = (rhs[k] - high[k] * theta[k + 1]) / mid[k]
    pieces = []
    for k in range(n):
        phi = -psi[k + 1] - theta[k + 1]
        first = z[k] + cmath.exp(1j * theta[k]) * delta[k] * _hobby_velocity(theta[k], phi)
        second = z[k + 1] - cmath.exp(-1j * phi) * delta[k] * _hobby_velocity(phi, theta[k])
        pieces.append((z[k], first, second, z[k + 1]))
    return pieces


def bezier_point(piece, t: float) -> complex:
    a, b, c, d = piece
    s = 1 - t
    return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d


def bezier_tangent(piece, t: float) -> complex:
    a, b, c, d = piece
    s = 1 - t
    v = 3 * s * s * (b - a) + 6 * s * t * (c - b) + 3 * t * t * (d - c)
    if abs(v) < 1e-9:
        v = d - a
    return v / abs(v) if abs(v) > 1e-12 else 1 + 0j


# --------------------------------------------------------------------------
# Paths
# --------------------------------------------------------------------------
def _num(v: float) -> str:
    text = f"{v:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _pt(p: complex) -> str:
    return f"{_num(p.real)},{_num(p.imag)}"


@dataclass
class Path:
    """A chain of smooth runs; a corner lies between two runs."""

    runs: list[list[tuple[complex, complex, complex, complex]]]
    closed: bool = True

    @property
    def d(self) -> str:
        out = []
        first = True
        for run in self.runs:
            for a, b, c, e in run:
                if first:
                    out.append("M" + _pt(a))
                    first = False
                out.append(f"C{_pt(b)} {_pt(c)} {_pt(e)}")
        if self.closed:
            out.append("Z")
        return "".join(out)

    def moved(self, dx: float, dy: float) -> Path:
        o = complex(dx, dy)
        return Path([[tuple(p + o for p in pc) for pc in run] for run in self.runs], self.closed)

    def points(self, per_piece: int = 10) -> list[tuple[float, float]]:
        pts = []
        for run in self.runs:
            for piece in run:
                for i in range(per_piece):
                    p = bezier_point(piece, i / per_piece)
                    pts.append((p.real, p.imag))
        last = self.runs[-1][-1][3]
        pts.append((last.real, last.imag))
        return pts

    def bbox(self) -> tuple[float, float, float, float]:
        pts = self.points()
        xs, ys = [p[0] for p in pts], [p[1] for p in pts]
        return min(xs), min(ys), max(xs), max(ys)


def _is_corner(node) -> bool:
    return len(node) > 2 and node[2] == "c"


def line(nodes) -> Path:
    """Open smooth path (corners allowed)."""
    runs, current = [], [nodes[0]]
    for node in nodes[1:]:
        current.append(node)
        if _is_corner(node):
            runs.append(hobby(current))
            current = [node]
    if len(current) > 1:
        runs.append(hobby(current))
    return Path(runs, closed=False)


def shape(nodes) -> Path:
    """Closed smooth path (corners allowed)."""
    nodes = list(nodes)
    corners = [i for i, n in enumerate(nodes) if _is_corner(n)]
    if corners:
        k = corners[0]
        nodes = nodes[k:] + nodes[:k] + [nodes[k]]
        path = line(nodes)
        path.closed = True
        return path
    n = len(nodes)
    wrapped = nodes * 3 + [nodes[0]]
    pieces = hobby(wrapped)
    return Path([pieces[n : 2 * n]], closed=True)


def ellipse(cx: float, cy: float, rx: float, ry: float, tilt: float = 0.0) -> Path:
    """Ellipse; tilt in degrees."""
    turn = cmath.exp(1j * math.radians(tilt))
    k = 0.5522847498
    unit = [
        (1, 1 + 1j * k, k + 1j, 1j),
        (1j, -k + 1j, -1 + 1j * k, -1),
        (-1, -1 - 1j * k, -k - 1j, -1j),
        (-1j, k - 1j, 1 - 1j * k, 1),
    ]
    c = complex(cx, cy)

    def place(p):
        p = complex(p)
        return c + turn * complex(p.real * rx, p.imag * ry)

    return Path([[tuple(place(p) for p in piece) for piece in unit]], True)


# --------------------------------------------------------------------------
# Symmetry
# --------------------------------------------------------------------------
def mirror(nodes):
    """Mirror nodes at the vertical centre line."""
    return [(2 * CENTRE_X - n[0], *n[1:]) for n in nodes]


def mirror_path(path: Path) -> Path:
    def flip(p: complex) -> complex:
        return complex(2 * CENTRE_X - p.real, p.imag)

    return Path([[tuple(flip(p) for p in pc) for pc in run] for run in path.runs], path.closed)


class Side:
    """Places coordinates given as (distance from the centre line, y)."""

    def __init__(self, name: str):
        self.name = name
        self.sign = 1 if name == "left" else -1  # character's left = picture right

    def x(self, dx: float) -> float:
        return CENTRE_X + self.sign * dx

    def p(self, dx: float, y: float) -> tuple[float, float]:
        return (self.x(dx), y)

    def pts(self, nodes):
        return [(self.x(n[0]), *n[1:]) for n in nodes]


LEFT, RIGHT = Side("left"), Side("right")
SIDES = (RIGHT, LEFT)


def centred(nodes):
    """Nodes given relative to the centre line, not mirrored."""
    return [(CENTRE_X + n[0], *n[1:]) for n in nodes]


def both(nodes):
    """Closed symmetric outline from its right half (top to bottom)."""
    right = [(CENTRE_X + n[0], *n[1:]) for n in nodes]
    left = [(CENTRE_X - n[0], *n[1:]) for n in reversed(nodes) if abs(n[0]) > 1e-9]
    return right + left


# --------------------------------------------------------------------------
# Tapered strokes
# --------------------------------------------------------------------------
def lerp_profile(values, t: float) -> float:
    """Smooth interpolation in a list of evenly spaced values."""
    if len(values) == 1:
        return values[0]
    pos = t * (len(values) - 1)
    i = min(int(pos), len(values) - 2)
    f = pos - i
    f = f * f * (3 - 2 * f)
    return values[i] * (1 - f) + values[i + 1] * f


def _sample(pieces, step: float):
    """Points, tangents and arc-length fractions along Bezier pieces."""
    pts, tangents = [], []
    for k, piece in enumerate(pieces):
        chord = abs(piece[1] - piece[0]) + abs(piece[2] - piece[1]) + abs(piece[3] - piece[2])
        n = max(2, min(12, math.ceil(chord / step)))
        for i in range(n + (k == len(pieces) - 1)):
            t = i / n
            pts.append(bezier_point(piece, t))
            tangents.append(bezier_tangent(piece, t))
    lengths = [0.0]
    for a, b in itertools.pairwise(pts):
        lengths.append(lengths[-1] + abs(b - a))
    total = lengths[-1] or 1.0
    return pts, tangents, [v / total for v in lengths]


def taper_pieces(pieces, profile, step: float = 7.0, shift: float = 0.0) -> Path:
    """Filled stroke along Bezier pieces.

    profile: full widths, evenly spaced along the stroke.
    shift: -1 puts the whole width left of the travel direction, +1 right.
    """
    pts, tangents, where = _sample(pieces, step)
    one, other = [], []
    for p, t, s in zip(pts, tangents, where, strict=False):
        w = lerp_profile(profile, s)
        normal = 1j * t
        a = p + normal * w * 0.5 * (1 + shift)
        b = p - normal * w * 0.5 * (1 - shift)
        one.append((a.real, a.imag))
        other.append((b.real, b.imag))
    runs = [hobby(one)]
    if abs(complex(*one[-1]) - complex(*other[-1])) > 0.02:
        runs.append(hobby([one[-1], other[-1]]))
    runs.append(hobby(list(reversed(other))))
    return Path([r for r in runs if r], True)


def taper(nodes, profile, step: float = 7.0, shift: float = 0.0) -> Path:
    """Filled, tapered stroke through nodes."""
    return taper_pieces(hobby([n[:2] for n in nodes]), profile, step, shift)


PEN = (0.25, 0.8, 1.0, 0.8, 0.25)  # pressed in the middle, light at both ends
PEN_IN = (0.9, 1.0, 0.7, 0.4, 0.05)  # pressed at the start
PEN_OUT = tuple(reversed(PEN_IN))
EVEN = (1.0, 1.0)


def pen(width: float, profile=PEN):
    return [width * v for v in profile]


def outline(path: Path, width: float, profile=PEN, skip=()) -> list[Path]:
    """One tapered stroke for each smooth run of a path."""
    strokes = []
    for i, run in enumerate(path.runs):
        if i in skip or not run:
            continue
        strokes.append(taper_pieces(run, pen(width, profile)))
    return strokes


def sub_line(path: Path, start: float, end: float, count: int = 24) -> list[tuple[float, float]]:
    """Nodes along a part of an open path, by arc-length fraction."""
    pieces = [pc for run in path.runs for pc in run]
    pts, _, where = _sample(pieces, 1.5)
    out = []
    for i in range(count + 1):
        s = start + (end - start) * i / count
        k = 0
        while k < len(where) - 2 and where[k + 1] < s:
            k += 1
        span = where[k + 1] - where[k] or 1.0
        f = min(1.0, max(0.0, (s - where[k]) / span))
        p = pts[k] * (1 - f) + pts[k + 1] * f
        out.append((p.real, p.imag))
    return out


def offset_line(nodes, distance: float) -> list[tuple[float, float]]:
    """Nodes shifted to the right of the travel direction (y down: +90 deg)."""
    pieces = hobby([n[:2] for n in nodes])
    pts, tangents, _ = _sample(pieces, 5.0)
    moved = [p + 1j * t * distance for p, t in zip(pts, tangents, strict=False)]
    return [(p.real, p.imag) for p in moved]


# --------------------------------------------------------------------------
# Hair and fur
# --------------------------------------------------------------------------
def lock(nodes, widths, step: float = 9.0) -> Path:
    """Lock of hair: centre line and widths; ends in a point when width is 0."""
    return taper(nodes, widths, step)


def fur_edge(nodes, tuft: float, spacing: float, lean: float = 0.35, seed: int = 1):
    """Turn a line into fur: corner nodes with curved tufts to the right side."""
    pieces = hobby([n[:2] for n in nodes])
    pts, tangents, where = _sample(pieces, 1.0)
    total = sum(abs(b - a) for a, b in itertools.pairwise(pts))
    count = max(2, round(total / spacing))
    state = seed * 7919 + 13

    def rnd():
        nonlocal state
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        return state / 0x7FFFFFFF

    def at(s):
        k = 0
        while k < len(where) - 2 and where[k + 1] < s:
            k += 1
        span = where[k + 1] - where[k] or 1.0
        f = min(1.0, max(0.0, (s - where[k]) / span))
        return pts[k] * (1 - f) + pts[k + 1] * f, tangents[k]

    out = []
    for i in range(count):
        s0 = i / count
        s1 = (i + 1) / count
        base, _t0 = at(s0)
        size = tuft * (0.65 + 0.6 * rnd())
        mid_s = s0 + (s1 - s0) * (0.62 + 0.2 * (rnd() - 0.5))
        mid, tm = at(mid_s)
        tip = mid + (1j * tm + lean * tm) * size
        bulge_a = base + (tip - base) * 0.5 + 1j * tm * size * 0.16
        nxt, _ = at(s1)
        bulge_b = tip + (nxt - tip) * 0.5 + 1j * tm * size * 0.02
        out += [
            (base.real, base.imag, "c"),
            (bulge_a.real, bulge_a.imag),
            (tip.real, tip.imag, "c"),
            (bulge_b.real, bulge_b.imag),
        ]
    end, _ = at(1.0)
    out.append((end.real, end.imag, "c"))
    return out


class Ribbon:
    """Surface between two edges that meet at a tip; hair locks are ribbons.

    ``at(u, t)``: u = 0 on the left edge .. 1 on the right edge, t = 0 at the
    root .. 1 at the tip.
    """

    SAMPLES = 48

    def __init__(self, left, right, tip=None):
        self.left_nodes = [n[:2] for n in left] + ([tip] if tip else [])
        self.right_nodes = [n[:2] for n in right] + ([tip] if tip else [])
        self._left = sub_line(line(self.left_nodes), 0, 1, self.SAMPLES)
        self._right = sub_line(line(self.right_nodes), 0, 1, self.SAMPLES)
        self.path = Path(
            [hobby(self.left_nodes), hobby(list(reversed(self.right_nodes)))]
            + ([hobby([self.right_nodes[0], self.left_nodes[0]])] if self.left_nodes[0] != self.right_nodes[0] else []),
            True,
        )

    @classmethod
    def from_centre(cls, nodes, widths) -> Ribbon:
        pieces = hobby([n[:2] for n in nodes])
        pts, tangents, where = _sample(pieces, 7.0)
        left, right = [], []
        for p, t, s in zip(pts, tangents, where, strict=False):
            h = 1j * t * lerp_profile(widths, s) * 0.5
            left.append(((p + h).real, (p + h).imag))
            right.append(((p - h).real, (p - h).imag))
        ribbon = cls(left, right)
        ribbon._left, ribbon._right = left, right  # edge points stay paired
        return ribbon

    @staticmethod
    def _pick(samples, t):
        pos = min(max(t, 0.0), 1.0) * (len(samples) - 1)
        i = min(int(pos), len(samples) - 2)
        f = pos - i
        a, b = samples[i], samples[i + 1]
        return a[0] * (1 - f) + b[0] * f, a[1] * (1 - f) + b[1] * f

    def at(self, u: float, t: float) -> tuple[float, float]:
        a, b = self._pick(self._left, t), self._pick(self._right, t)
        return a[0] * (1 - u) + b[0] * u, a[1] * (1 - u) + b[1] * u

    def run(self, u0: float, t0: float, t1: float, u1: float | None = None, count: int = 6):
        """Nodes along the lock."""
        u1 = u0 if u1 is None else u1
        return [self.at(u0 + (u1 - u0) * i / count, t0 + (t1 - t0) * i / count) for i in range(count + 1)]

    def streak(self, u: float, t0: float, t1: float, width: float, profile=PEN, u1: float | None = None) -> Path:
        return taper(self.run(u, t0, t1, u1), pen(width, profile), step=8)

    def strip(self, u0: float, u1: float, t0: float = 0.0, t1: float = 1.0, count: int = 16) -> Path:
        """Area between two lines along the lock; pointed at both ends."""
        a, b = [], []
        for i in range(count + 1):
            f = i / count
            t = t0 + (t1 - t0) * f
            open_ = math.sin(math.pi * f) ** 0.7 if 0 < f < 1 else 0.0
            mid = (u0 + u1) / 2 if u0 > 0 and u1 < 1 else (0.0 if u0 <= 0 else 1.0)
            a.append(self.at(mid + (u0 - mid) * open_, t))
            b.append(self.at(mid + (u1 - mid) * open_, t))
        return Path([hobby(a), hobby(list(reversed(b)))], True)

    def edge(self, u: float, t0: float, t1: float, count: int = 10):
        """Nodes along the left (u = 0) or right (u = 1) edge."""
        return [self.at(u, t0 + (t1 - t0) * i / count) for i in range(count + 1)]

    def width_at(self, t: float) -> float:
        a, b = self.at(0, t), self.at(1, t)
        return math.hypot(a[0] - b[0], a[1] - b[1])

    def shine(
        self, t: float, length: float, seed: int = 1, pitch: float = 2.3, u0=0.08, u1=0.92, drift=0.0, cover=1.3
    ) -> list[Path]:
        """Light patch made of thin lens-shaped streaks side by side.

        length: mean streak length as a fraction of the lock; drift moves the
        patch along the lock from the left edge to the right edge.
        """
        rnd = Noise(seed)
        width = self.width_at(t) * (u1 - u0)
        n = max(2, round(width / pitch))
        streaks = []
        for i in range(n):
            u = u0 + (u1 - u0) * (i + 0.25 + 0.5 * rnd()) / n
            arch = 1 - (2 * (i + 0.5) / n - 1) ** 2 * 0.45
            size = length * arch * (0.4 + 1.2 * rnd())
            mid = t + drift * ((i + 0.5) / n - 0.5) + (rnd() - 0.45) * length * 0.35
            w = width / n * cover * (0.6 + 0.8 * rnd())
            streaks.append(
                taper(self.run(u, mid - size * 0.5, mid + size * 0.5, count=4), [0, w * 0.7, w, w * 0.6, 0], step=4)
            )
        return streaks


class Noise:
    """Small repeatable random source, the same on every machine."""

    def __init__(self, seed: int):
        self.state = seed * 7919 + 13
        for _ in range(3):
            self()

    def __call__(self) -> float:
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return self.state / 0x7FFFFFFF


def tuft(base, angle: float, length: float, width: float, bend: float = 0.0) -> Path:
    """Leaf-shaped tuft of fur; angle in degrees, bend moves the tip sideways."""
    a = math.radians(angle)
    d = complex(math.cos(a), math.sin(a))
    n = 1j * d
    z = complex(*base)
    h = width / 2
    tip = z + d * length + n * bend
    nodes = [
        (z - n * h * 0.75),
        (z - n * h + d * length * 0.40 + n * bend * 0.12),
        tip,
        (z + n * h + d * length * 0.40 + n * bend * 0.12),
        (z + n * h * 0.75),
    ]
    marks = ("c", None, "c", None, "c")
    return shape([(p.real, p.imag, m) if m else (p.real, p.imag) for p, m in zip(nodes, marks, strict=False)])
