"""A small SVG writer: named groups, gradients, clips, blur."""

from __future__ import annotations

from contextlib import contextmanager

from .curves import Path


def _n(v: float) -> str:
    text = f"{v:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


class Svg:
    def __init__(self, size: int = 512):
        self.size = size
        self.defs: list[str] = []
        self.body: list[str] = []
        self.depth = 1
        self._count: dict[str, int] = {}
        self._known: dict[str, str] = {}
        self._scope: list[str] = []

    # ---- names ----------------------------------------------------------
    def _new_id(self, kind: str) -> str:
        stem = f"{self._scope[-1]}_{kind}" if self._scope else kind
        self._count[stem] = self._count.get(stem, 0) + 1
        number = self._count[stem]
        return stem if number == 1 else f"{stem}_{number}"

    def _define(self, kind: str, template: str) -> str:
        if template in self._known:
            return self._known[template]
        name = self._new_id(kind)
        self.defs.append(template.replace("@ID@", name))
        self._known[template] = name
        return name

    # ---- paints -----------------------------------------------------------
    @staticmethod
    def _stops(stops) -> str:
        out = []
        for stop in stops:
            offset, colour = stop[0], stop[1]
            alpha = f' stop-opacity="{_n(stop[2])}"' if len(stop) > 2 else ""
            out.append(f'<stop offset="{_n(offset)}" stop-color="{colour}"{alpha}/>')
        return "".join(out)

    def linear(self, start, end, *stops) -> str:
        body = (
            f'<linearGradient id="@ID@" gradientUnits="userSpaceOnUse" '
            f'x1="{_n(start[0])}" y1="{_n(start[1])}" x2="{_n(end[0])}" y2="{_n(end[1])}">'
            f"{self._stops(stops)}</linearGradient>"
        )
        return f"url(#{self._define('grad', body)})"

    def radial(self, centre, radius, *stops, stretch=(1.0, 1.0)) -> str:
        cx, cy = centre
        sx, sy = stretch
        turn = ""
        if stretch != (1.0, 1.0):
            turn = (
                f' gradientTransform="translate({_n(cx)} {_n(cy)}) '
                f'scale({_n(sx)} {_n(sy)}) translate({_n(-cx)} {_n(-cy)})"'
            )
        body = (
            f'<radialGradient id="@ID@" gradientUnits="userSpaceOnUse" '
            f'cx="{_n(cx)}" cy="{_n(cy)}" r="{_n(radius)}"{turn}>'
            f"{self._stops(stops)}</radialGradient>"
        )
        return f"url(#{self._define('glow', body)})"

    # ---- structure ----------------------------------------------------------
    def _emit(self, text: str) -> None:
        self.body.append("  " * self.depth + text)

    @contextmanager
    def group(self, name: str | None = None, clip: Path | None = None, opacity: float = 1.0, blur: float = 0.0):
        attrs = ""
        if name:
            attrs += f' id="{name}"'
            self._scope.append(name)
        if clip is not None:
            body = f'<clipPath id="@ID@"><path d="{clip.d}"/></clipPath>'
            attrs += f' clip-path="url(#{self._define("clip", body)})"'
        if opacity != 1.0:
            attrs += f' opacity="{_n(opacity)}"'
        if blur:
            body = (
                '<filter id="@ID@" x="-50%" y="-50%" width="200%" height="200%">'
                f'<feGaussianBlur stdDeviation="{_n(blur)}"/></filter>'
            )
            attrs += f' filter="url(#{self._define("blur", body)})"'
        self._emit(f"<g{attrs}>")
        self.depth += 1
        yield
        self.depth -= 1
        self._emit("</g>")
        if name:
            self._scope.pop()

    def fill(self, path: Path | list[Path], paint: str, opacity: float = 1.0, name: str | None = None) -> None:
        paths = path if isinstance(path, list) else [path]
        paths = [p for p in paths if p.runs]
        if not paths:
            return
        attrs = f' id="{name}"' if name else ""
        if opacity != 1.0:
            attrs += f' fill-opacity="{_n(opacity)}"'
        d = " ".join(p.d for p in paths)
        self._emit(f'<path{attrs} fill="{paint}" d="{d}"/>')

    def stroke(self, path: Path, paint: str, width: float, opacity: float = 1.0) -> None:
        """Plain stroke of even width, for trims inside a clipped group."""
        alpha = f' stroke-opacity="{_n(opacity)}"' if opacity != 1.0 else ""
        self._emit(
            f'<path fill="none" stroke="{paint}" stroke-width="{_n(width)}" '
            f'stroke-linejoin="round"{alpha} d="{path.d}"/>'
        )

    def ring(self, outer: Path, inner: Path, paint: str, opacity: float = 1.0) -> None:
        alpha = f' fill-opacity="{_n(opacity)}"' if opacity != 1.0 else ""
        self._emit(f'<path fill-rule="evenodd" fill="{paint}"{alpha} d="{outer.d} {inner.d}"/>')

    def flood(self, path: Path, paint: str, pad: float = 3.0) -> None:
        """Rectangle covering a path: base colour inside a clipped group."""
        x0, y0, x1, y1 = path.bbox()
        self._emit(
            f'<rect fill="{paint}" x="{_n(x0 - pad)}" y="{_n(y0 - pad)}" '
            f'width="{_n(x1 - x0 + 2 * pad)}" height="{_n(y1 - y0 + 2 * pad)}"/>'
        )

    def text(self) -> str:
        size = self.size
        parts = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {size} {size}">',
            "  <defs>",
            *("    " + d for d in self.defs),
            "  </defs>",
            *self.body,
            "</svg>",
            "",
        ]
        return "\n".join(parts)
