"""A small SVG writer: named groups, filled shapes, ink lines, gradients."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from .geometry import Curve, path_data, pen_stroke, runs, spline

SVG_NS = "http://www.w3.org/2000/svg"


def _num(v):
    return f"{v:.3f}".rstrip("0").rstrip(".") if isinstance(v, float) else str(v)


def _put(element, attrs):
    for key, value in attrs.items():
        if value is not None:
            element.set(key.replace("_", "-"), _num(value))


class Layer:
    """One SVG group, with the drawing calls."""

    def __init__(self, canvas, element):
        self.canvas, self.element = canvas, element

    def group(self, name=None, **attrs):
        g = ET.SubElement(self.element, "g")
        if name:
            g.set("id", name)
        _put(g, attrs)
        return Layer(self.canvas, g)

    def shape(self, points, fill, closed=True, **attrs):
        p = ET.SubElement(self.element, "path")
        p.set("d", path_data(spline(points, closed), closed))
        p.set("fill", fill)
        _put(p, attrs)
        return self

    def ellipse(self, cx, cy, rx, ry, fill, **attrs):
        e = ET.SubElement(self.element, "ellipse")
        _put(e, dict(cx=float(cx), cy=float(cy), rx=float(rx), ry=float(ry), fill=fill, **attrs))
        return self

    def ink(self, points, width, color, taper=(0.35, 0.35), least=0.08, peak=None, **attrs):
        """One tapered pen line, as a filled shape."""
        return self.shape(pen_stroke(points, width, taper, least, peak), color, **attrs)

    def contour(self, points, width, color, closed=True, ends=0.45, taper=0.22, **attrs):
        """Ink round a shape, thinning a little towards its corners."""
        parts = runs(points, closed)
        if parts is None:
            curve = Curve(list(points), closed=True)
            n = max(24, min(64, int(curve.length / 2.5)))
            outer, inner = [], []
            for i in range(n):
                t = i / n
                x, y = curve.at(t)
                nx, ny = curve.normal(t)
                if i == 0:
                    a, b = curve.at(0.99), curve.at(0.01)
                    k = ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5 or 1
                    nx, ny = (a[1] - b[1]) / k, (b[0] - a[0]) / k
                w = 0.5 * width * (1 + 0.18 * ny)
                outer.append((x + nx * w, y + ny * w))
                inner.append((x - nx * w, y - ny * w))
            p = ET.SubElement(self.element, "path")
            p.set("d", path_data(spline(outer, True), True) + path_data(spline(inner, True), True))
            p.set("fill", color)
            p.set("fill-rule", "evenodd")
            _put(p, attrs)
            return self
        for part in parts:
            self.ink(part, width, color, (taper, taper), ends, **attrs)
        return self

    def clip(self, *shapes, name=None, **attrs):
        """Sub-layer cut to the union of the shapes."""
        ident = self.canvas.new_id("clip")
        c = ET.SubElement(self.canvas.defs, "clipPath", id=ident)
        for points in shapes:
            ET.SubElement(c, "path", d=path_data(spline(points, True), True))
        return self.group(name, clip_path=f"url(#{ident})", **attrs)


class Canvas:
    def __init__(self, size=512, title="", description=""):
        ET.register_namespace("", SVG_NS)
        self.size = size
        self.root = ET.Element(
            "svg", {"xmlns": SVG_NS, "viewBox": f"0 0 {size} {size}", "width": str(size), "height": str(size)}
        )
        if title:
            ET.SubElement(self.root, "title").text = title
        if description:
            ET.SubElement(self.root, "desc").text = description
        self.defs = ET.SubElement(self.root, "defs")
        self._count = {}
        self._known = {}
        self.top = Layer(self, self.root)

    def new_id(self, stem):
        self._count[stem] = self._count.get(stem, 0) + 1
        return f"{stem}{self._count[stem]}"

    def _gradient(self, tag, stem, attrs, stops):
        key = (tag, tuple(sorted(attrs.items())), tuple(stops))
        if key in self._known:
            return self._known[key]
        ident = self.new_id(stem)
        g = ET.SubElement(self.defs, tag, id=ident, gradientUnits="userSpaceOnUse")
        _put(g, attrs)
        for stop in stops:
            s = ET.SubElement(g, "stop", {"offset": _num(stop[0]), "stop-color": stop[1]})
            if len(stop) > 2:
                s.set("stop-opacity", _num(stop[2]))
        self._known[key] = f"url(#{ident})"
        return self._known[key]

    def linear(self, start, end, stops, stem="lin"):
        return self._gradient(
            "linearGradient",
            stem,
            {"x1": float(start[0]), "y1": float(start[1]), "x2": float(end[0]), "y2": float(end[1])},
            [tuple(s) for s in stops],
        )

    def radial(self, centre, radius, stops, transform=None, stem="rad"):
        attrs = {"cx": float(centre[0]), "cy": float(centre[1]), "r": float(radius)}
        if transform:
            attrs["gradientTransform"] = transform
        return self._gradient("radialGradient", stem, attrs, [tuple(s) for s in stops])

    def blur(self, sigma):
        key = ("blur", sigma)
        if key not in self._known:
            ident = self.new_id("blur")
            f = ET.SubElement(
                self.defs,
                "filter",
                {
                    "id": ident,
                    "x": "-50%",
                    "y": "-50%",
                    "width": "200%",
                    "height": "200%",
                    "color-interpolation-filters": "sRGB",
                },
            )
            ET.SubElement(f, "feGaussianBlur", stdDeviation=_num(float(sigma)))
            self._known[key] = f"url(#{ident})"
        return self._known[key]

    def to_string(self):
        ET.indent(self.root, " ")
        return ET.tostring(self.root, encoding="unicode") + "\n"
