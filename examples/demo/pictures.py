"""Pictures drawn with a few shapes: things for the classifier, and a blood smear."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = 256  # pixels a side of the things


def things():
    """Some of the kinds of things that the classifier knows: [(name, picture)]."""
    draws = (_airplane, _automobile, _bird, _frog, _ship, _truck)
    return [(draw.__name__[1:], draw()) for draw in draws]


def smear(seed=0):
    """A blood smear (640 x 480): a white cell, platelets, and red cells around them."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (640, 480), (212, 205, 200))
    draw, taken = ImageDraw.Draw(picture), []

    def free(radius):
        """Where a disc goes that covers the others by little; None if there is no place."""
        for x, y in rng.uniform(radius, np.subtract(picture.size, radius), (200, 2)):
            if all(np.hypot(x - a, y - b) > 0.9 * (radius + r) for a, b, r in taken):
                taken.append((x, y, radius))
                return x, y

    x, y = free(80)
    _disc(draw, x, y, 80, (178, 160, 190))
    for turn in (0, 2.1, 4.2):
        _disc(draw, x + 30 * np.cos(turn), y + 30 * np.sin(turn), 40, (110, 70, 150))
    for radius in rng.uniform(48, 56, 18):
        place = free(radius)
        if place is not None:
            colour = np.array([196, 160, 160]) + rng.integers(-8, 8, 3)
            for share, lighter in ((1, -18), (0.9, 0), (0.4, 22)):
                _disc(draw, *place, share * radius, colour + lighter)
    for place in filter(None, (free(16) for _ in range(3))):
        _disc(draw, *place, 14, (140, 95, 165))
    return _photographed(picture, 4, rng)


def _airplane():
    picture, draw = _scene((95, 150, 215), (180, 210, 235))
    draw.ellipse((20, 112, 236, 148), fill=(235, 238, 242))
    draw.polygon([(100, 135), (150, 135), (90, 200), (65, 200)], fill=(190, 195, 205))
    draw.polygon([(110, 118), (150, 118), (115, 70), (98, 70)], fill=(205, 210, 216))
    draw.polygon([(30, 122), (62, 122), (38, 70), (18, 70)], fill=(40, 80, 150))
    draw.polygon([(205, 118), (228, 122), (222, 128), (200, 128)], fill=(60, 80, 110))
    return _photographed(picture)


def _automobile():
    picture, draw = _scene((185, 205, 220), (220, 220, 215), ground=170)
    draw.rounded_rectangle((20, 120, 238, 185), 18, fill=(200, 25, 30))
    draw.polygon([(65, 122), (95, 75), (170, 75), (205, 122)], fill=(200, 25, 30))
    draw.polygon([(80, 118), (102, 84), (130, 84), (130, 118)], fill=(60, 75, 90))
    draw.polygon([(138, 118), (138, 84), (166, 84), (190, 118)], fill=(60, 75, 90))
    _wheels(draw, (70, 190), 186, 26)
    return _photographed(picture)


def _bird():
    picture, draw = _scene((150, 190, 150), (110, 150, 95))
    draw.ellipse((60, 90, 190, 190), fill=(170, 70, 40))
    draw.ellipse((150, 55, 220, 125), fill=(150, 60, 35))
    draw.polygon([(215, 80), (248, 92), (214, 102)], fill=(230, 180, 50))
    _disc(draw, 196, 81, 6, (15, 15, 15))
    draw.polygon([(75, 130), (5, 190), (85, 165)], fill=(90, 50, 35))
    draw.polygon([(90, 110), (160, 120), (100, 175)], fill=(100, 55, 40))
    for x in (115, 140):
        draw.line((x, 188, x, 225), fill=(90, 60, 30), width=5)
    draw.rectangle((0, 222, SIZE, 234), fill=(95, 70, 45))
    return _photographed(picture)


def _frog():
    picture, draw = _scene((70, 60, 40), (90, 80, 55))
    draw.ellipse((45, 90, 215, 205), fill=(85, 150, 50))
    for x in (88, 172):
        _disc(draw, x, 85, 24, (95, 160, 55))
        _disc(draw, x, 84, 11, (240, 220, 80))
        _disc(draw, x, 85, 6, (10, 10, 10))
    draw.arc((80, 100, 180, 160), 20, 160, fill=(40, 80, 25), width=5)
    for x in (55, 205):
        _disc(draw, x, 192, 31, (75, 135, 45))
    return _photographed(picture)


def _ship():
    picture, draw = _scene((150, 190, 225), (205, 220, 232))
    draw.rectangle((0, 165, SIZE, SIZE), fill=(40, 85, 120))
    draw.polygon([(25, 140), (230, 140), (205, 185), (50, 185)], fill=(150, 40, 35))
    for box in ((25, 132, 232, 145), (70, 100, 175, 134), (90, 78, 150, 102)):
        draw.rectangle(box, fill=(238, 238, 238))
    draw.rectangle((110, 45, 130, 80), fill=(200, 60, 40))
    for x in range(80, 170, 16):
        draw.rectangle((x, 110, x + 8, 118), fill=(50, 70, 90))
    return _photographed(picture)


def _truck():
    picture, draw = _scene((170, 195, 215), (215, 220, 222), ground=185)
    draw.rectangle((15, 55, 165, 180), fill=(240, 240, 240))
    draw.rectangle((15, 165, 245, 185), fill=(50, 50, 55))
    draw.polygon([(172, 90), (222, 90), (240, 135), (240, 180), (172, 180)], fill=(40, 90, 170))
    draw.polygon([(186, 100), (216, 100), (228, 132), (186, 132)], fill=(70, 90, 110))
    _wheels(draw, (50, 95, 205), 190, 22)
    return _photographed(picture)


def _scene(top, bottom, ground=None):
    """A picture whose colour changes from top to bottom, with a road from row `ground` on."""
    colours = np.linspace(top, bottom, SIZE)[:, None].repeat(SIZE, 1)
    picture = Image.fromarray(colours.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    if ground is not None:
        draw.rectangle((0, ground, SIZE, SIZE), fill=(105, 105, 107))
    return picture, draw


def _disc(draw, x, y, radius, colour):
    box = (x - radius, y - radius, x + radius, y + radius)
    draw.ellipse(box, fill=tuple(int(part) for part in colour))


def _wheels(draw, xs, y, radius):
    for x in xs:
        _disc(draw, x, y, radius, (25, 25, 25))
        _disc(draw, x, y, radius * 0.45, (180, 180, 180))


def _photographed(picture, blur=3, rng=None):
    """A picture without the sharpness of what is drawn, and with noise."""
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(blur)), float)
    rng = np.random.default_rng(0) if rng is None else rng
    return Image.fromarray((soft + rng.normal(0, 4, soft.shape)).clip(0, 255).astype(np.uint8))
