"""Class maps: the class of each pixel, and the forms in which a request gets them."""
