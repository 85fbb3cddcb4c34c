"""Twice the size: waifu2x, Real-ESRGAN and Anime4K for a picture that is transparent around its character."""
