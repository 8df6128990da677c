"""The photographs that benches make their pictures from."""
import pathlib

from PIL import Image


def photographs(folder):
    """Every JPEG in colour below a folder with at least 300 pixels on its short side, in the order of the paths."""
    found = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    good = []
    for p in found:
        try:
            with Image.open(p) as im:
                if im.mode == "RGB" and min(im.size) >= 300:
                    good.append(p)
        except Exception:
            continue
    return good
