"""Values of pillow and scikit-image."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "image",
        "pillow",
        make="from PIL import Image\nx = Image.new('RGB', (4, 3), 'red')",
        change="x.putpixel((1, 1), (0, 255, 0))",
        facts="(x.tobytes(), x.mode, x.size, dict(x.info))",
        compared="pixels, mode, size",
        module="PIL",
    ),
    Kind(
        "image with a palette",
        "pillow",
        make="from PIL import Image\nx = Image.new('P', (2, 2))",
        change="x.putpalette([1, 2, 3] * 4)",
        facts="(x.tobytes(), x.getpalette()[:6])",
        compared="pixels, palette",
        module="PIL",
    ),
    Kind(
        "image that is open",
        "pillow",
        make="from PIL import Image\nx = Image.open('held.png')",
        change="x.info['note'] = 'n'",
        facts="(x.convert('RGB').tobytes(), x.format, dict(x.info))",
        compared="pixels, format, info",
        module="PIL",
        before="from PIL import Image\nImage.new('RGB', (4, 3), 'blue').save('held.png')",
    ),
    Kind(
        "image whose file is gone",
        "pillow",
        make="from PIL import Image\nx = Image.open('held.png')",
        change="x.info['note'] = 'n'",
        facts="(x.convert('RGB').tobytes(), x.format)",
        compared="pixels",
        module="PIL",
        before="from PIL import Image\nImage.new('RGB', (4, 3), 'blue').save('held.png')",
        between="import os\nos.remove('held.png')",
    ),
    Kind(
        "drawing",
        "pillow",
        make="from PIL import Image\nfrom PIL import ImageDraw\nim = Image.new('L', (5, 5))\nx = ImageDraw.Draw(im)",
        change="x.point((1, 1), 255)",
        facts="(x.point((2, 2), 9), im.tobytes(), x.mode, x.fontmode, x.fill)",
        compared="pixels, settings",
        module="PIL",
        alias="(x.point((3, 3), 7), im.getpixel((3, 3)) == 7)[1]",
    ),
    Kind(
        "transform",
        "scikit-image",
        make="import numpy as np\nfrom skimage.transform import AffineTransform\nx = AffineTransform(scale=2)",
        change="x.params[0, 2] = 5",
        facts="(x.params.tolist(), x([[1, 1]]).tolist())",
        compared="matrix, result",
        module="skimage",
    ),
    Kind(
        "regions",
        "scikit-image",
        make="import numpy as np\nfrom skimage.measure import regionprops\nx = regionprops(np.array([[0, 1], [2, 2]]))",
        change="x.reverse()",
        facts="[(int(r.label), float(r.area)) for r in x]",
        compared="labels, areas",
        module="skimage",
    ),
)
