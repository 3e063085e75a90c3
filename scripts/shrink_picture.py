#!/usr/bin/env python3
"""Makes a smaller PNG of a picture: its shorter side gets SIDE pixels, colours stay three channels.

    scripts/shrink_picture.py IN OUT.png SIDE

Each new pixel is a weighted mean of all the old ones that it covers (Lanczos), so that nothing
aliases. A picture that is smaller already keeps its size. Needs Pillow.
"""

import sys

from PIL import Image


def main():
    if len(sys.argv) != 4:
        print("usage: scripts/shrink_picture.py IN OUT.png SIDE", file=sys.stderr)
        return 64
    source, target, side = sys.argv[1], sys.argv[2], int(sys.argv[3])
    try:
        with Image.open(source) as picture:
            small = picture.convert("RGB")
            factor = min(1.0, side / min(small.size))
            size = tuple(round(factor * pixels) for pixels in small.size)
            small.resize(size, Image.LANCZOS).save(target, "PNG")
    except OSError as error:
        print(f"shrink_picture: {source}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
