"""What the publishers use of pyvirtualcam 0.15.0, whose package carries no types."""

from . import camera as camera
from .camera import Camera as Camera, PixelFormat as PixelFormat
