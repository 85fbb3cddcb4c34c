GL_RGBA: int
GL_BGRA_EXT: int
GL_RGB: int
GL_BGR_EXT: int
