"""What people write without Tintype: Pillow in a pool of two threads.

Arguments: the folder of the photos, the folder for the proxies, their width and height.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from PIL import Image, ImageOps

source, out, width, height = sys.argv[1:]


def shrink(name):
    with Image.open(os.path.join(source, name)) as opened:
        image = ImageOps.exif_transpose(opened)
        image.thumbnail((int(width), int(height)), Image.LANCZOS)
        image.save(os.path.join(out, name), quality=85)


with ThreadPoolExecutor(2) as pool:
    list(pool.map(shrink, sorted(os.listdir(source))))
