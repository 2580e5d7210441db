"""Images as files: how to save and read one, and which caches there are."""

import numpy as np
from PIL import Image


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


def caches(root):
    return sorted(root.glob(".stochreset-cache-*.npy"))
