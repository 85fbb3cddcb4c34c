#!/usr/bin/env python3
"""Draw the Mothlight character: writes character.svg, the PNGs and parts.json."""

from __future__ import annotations

import argparse
import base64
import json
from pathlib import Path

import resvg_py
from mothlight import face, hair, outfit, parts
from mothlight.svgdoc import Svg


def build() -> Svg:
    """The whole picture; later calls lie on top."""
    svg = Svg(512)
    hair.draw_back_hair(svg)
    outfit.draw_body(svg, hair.lock_shadows())
    face.draw_neck(svg)
    outfit.draw_collar(svg)
    outfit.draw_antennae(svg)
    face.draw_face(svg, hair.shadow_casters())
    face.draw_features(svg)
    hair.draw_front_hair(svg)
    for side in face.SIDES:
        face.draw_brow(svg, side)
    outfit.draw_head_ornaments(svg)
    return svg


def rasterise(svg_text: str, size: int) -> bytes:
    return resvg_py.svg_to_bytes(svg_string=svg_text, width=size, height=size, skip_system_fonts=True)


def halve(png: bytes, size: int) -> bytes:
    """Picture at half size: each pixel is the mean of four (alpha-weighted)."""
    data = base64.b64encode(png).decode("ascii")
    half = size // 2
    svg_text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{half}" height="{half}">'
        f'<image width="{half}" height="{half}" style="image-rendering:smooth" '
        f'href="data:image/png;base64,{data}"/></svg>'
    )
    return rasterise(svg_text, half)


def main() -> None:
    """Write the picture in both sizes, the SVG and the places of its parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the four files")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    (out / "parts.json").write_text(json.dumps(parts.describe(), indent=2) + "\n", encoding="utf-8")
    svg_text = build().text()
    (out / "character.svg").write_text(svg_text, encoding="utf-8")
    large = rasterise(svg_text, 2048)
    (out / "character_2048.png").write_bytes(large)
    # the small picture is the mean of 4 x 4 pixels: thin lines stay even
    (out / "character.png").write_bytes(halve(halve(large, 2048), 1024))


if __name__ == "__main__":
    main()
