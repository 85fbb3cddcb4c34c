#!/usr/bin/env python3
"""Draws the character: writes character.svg, the PNGs and parts.json."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from art import accessories, face, hair, outfit
from art.canvas import Canvas
from art.geometry import CENTRE_X


def build():
    canvas = Canvas(512, "Noctiluca", "Original VTuber character")
    top = canvas.top
    hair.draw_back_hair(top, canvas)
    outfit.draw_body(top, canvas)
    accessories.draw_headband(top, canvas)
    face.draw_neck(top, canvas)
    outfit.draw_clothes(top, canvas)
    accessories.draw_headphones(top, canvas)
    face.draw_face(top, canvas, hair.hair_shadow_shapes())
    face.draw_blush(top, canvas)
    face.draw_mouth(top, canvas)
    face.draw_nose(top, canvas)
    for side in (1, -1):
        face.draw_eye(top, canvas, side)
    for side in (1, -1):
        face.draw_brow(top, canvas, side)
    hair.draw_front_hair(top, canvas)
    accessories.draw_accessories(top, canvas)
    return canvas


def parts():
    """parts.json: "left" is the character's own left (right in the picture)."""
    return (
        {
            "size": [512, 512],
            "note": "pixels of character.png; left = the character's own left",
            "head_box": hair.HEAD_BOX,
        }
        | face.measures()
        | {
            "lantern_star": [347.0, 64.5],
            "headphone_left": [CENTRE_X + 30.5, 225.0],
            "headphone_right": [CENTRE_X - 30.5, 225.0],
        }
    )


def render(svg, size, path):
    import resvg_py

    path.write_bytes(resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the four files")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    svg = build().to_string()
    (args.out / "character.svg").write_text(svg, encoding="utf-8")
    (args.out / "parts.json").write_text(json.dumps(parts(), indent=2) + "\n", encoding="utf-8")
    render(svg, 512, args.out / "character.png")
    render(svg, 2048, args.out / "character_2048.png")


if __name__ == "__main__":
    main()
