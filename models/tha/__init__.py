"""THA3 (separable and standard) and full THA4, each in full and half precision: five networks from picture to picture.

``contract``: what the files are and what goes in and out of each. ``files``: finding and checking them. ``prepare``:
what is changed in the graphs when they are loaded (``graphs``, ``motion`` and ``colour`` are its tools). ``model``: the
character that is shown, on ``stages`` and ``slots``.

Nothing is imported here: reading ONNX files takes a third of a second to import and is not needed by the rig.
"""
