"""THA4 student characters: two small networks that were made for one picture."""
