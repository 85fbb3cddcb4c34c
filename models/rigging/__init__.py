"""What the built-in rig is made of: cutting the face up, painting it, bending the figure, sampling the picture."""
