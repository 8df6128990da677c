"""Prints what Pillow makes of the pictures named on standard input, one path a line.

For each picture: path, number, width, height, mode, and the averages of 16 x 16 blocks in red, green and blue
(transparent pixels over black), or path and "-" with the reason. Nothing is turned by EXIF; libheif turns as the
container says.
"""

import sys

import numpy
from PIL import Image, ImageFile

Image.MAX_IMAGE_PIXELS = None
try:
    import pillow_heif
except ImportError:
    pillow_heif = None
try:
    import pillow_jxl  # noqa: F401  (registers itself)
except ImportError:
    pass


def rgb(picture):
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        grey = numpy.clip(numpy.asarray(picture, dtype=numpy.float64) / 257.0, 0, 255)
        return numpy.stack([grey] * 3, axis=-1)
    if picture.mode == "F":
        grey = numpy.clip(numpy.asarray(picture, dtype=numpy.float64) * 255.0, 0, 255)
        return numpy.stack([grey] * 3, axis=-1)
    if picture.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in picture.info:
        rgba = numpy.asarray(picture.convert("RGBA"), dtype=numpy.float64)
        return rgba[..., :3] * (rgba[..., 3:] / 255.0)
    return numpy.asarray(picture.convert("RGB"), dtype=numpy.float64)


def blocks(pixels):
    height, width = pixels.shape[:2]
    out = []
    for y in range(16):
        top = y * height // 16
        bottom = max(top + 1, (y + 1) * height // 16)
        for x in range(16):
            left = x * width // 16
            right = max(left + 1, (x + 1) * width // 16)
            out.extend(pixels[top:bottom, left:right].mean(axis=(0, 1)))
    return out


def say(path, number, picture):
    pixels = rgb(picture)
    numbers = " ".join("%.2f" % v for v in blocks(pixels))
    print(path, number, pixels.shape[1], pixels.shape[0], picture.mode, numbers, sep="\t")


for line in sys.stdin:
    path = line.rstrip("\n")
    try:
        if path.lower().endswith((".heic", ".heif")) and pillow_heif:
            for number, item in enumerate(pillow_heif.open_heif(path, convert_hdr_to_8bit=True)):
                say(path, number, item.to_pillow())
        elif path.lower().endswith((".tif", ".tiff", ".ico")):
            with Image.open(path) as picture:
                if picture.format == "ICO":
                    for number, size in enumerate(sorted(picture.info["sizes"], reverse=True)):
                        say(path, number, picture.ico.getimage(size))
                else:
                    for number in range(getattr(picture, "n_frames", 1)):
                        picture.seek(number)
                        say(path, number, picture)
        else:
            with Image.open(path) as picture:
                picture.load()
                say(path, 0, picture)
    except Exception as error:  # whatever a decoder refuses with
        print(path, "-", type(error).__name__, sep="\t")
    sys.stdout.flush()
