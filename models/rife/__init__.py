"""RIFE: pictures between two others by a network that finds the motion itself, with alpha bent as the colour is.

``files``: finding the networks and checking them. ``graph``: from a plain RIFE network to one that takes and gives our
pictures (``ending`` finds its last step, ``half`` lets it compute in float16). ``tiled``: EasyVtuber's own files.
``interpolator``: the pictures, from either kind of file.

Nothing is imported here: reading ONNX files takes a third of a second to import and not everybody interpolates so.
"""
