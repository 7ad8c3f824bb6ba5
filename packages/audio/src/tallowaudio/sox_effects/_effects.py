"""The effects: functions of samples (channels, time), float64, and of the arguments given.

They return samples and a sample rate in Hz.
"""

import math
import re

import tallow
from tallow.nn.functional import pad
from tallowaudio import functional as F
from tallowaudio.sox_effects._tempo import stretched

EFFECTS = {}


def effect(function):
    """Decorator: an effect under the name of a function, without a trailing _."""
    EFFECTS[function.__name__.rstrip("_")] = function
    return function


# Filters


def _passes(biquad, single):
    def apply(samples, given):
        poles = given.text() if given.arguments[:1] in (["-1"], ["-2"]) else "-2"
        frequency = given.frequency()
        if poles == "-1":
            decay = math.exp(-2 * math.pi * frequency / given.rate)
            return F.biquad(samples, *single(decay), 1.0, -decay, 0.0), given.rate
        return biquad(samples, given.rate, frequency, given.quality(frequency, 0.707)), given.rate

    return apply


EFFECTS["lowpass"] = _passes(F.lowpass_biquad, lambda decay: (1 - decay, 0.0, 0.0))
EFFECTS["highpass"] = _passes(
    F.highpass_biquad, lambda decay: ((1 + decay) / 2, -(1 + decay) / 2, 0.0)
)


def _around(biquad):
    def apply(samples, given):
        frequency = given.frequency()
        quality = given.quality(frequency, unit="h")
        return biquad(samples, given.rate, frequency, quality), given.rate

    return apply


EFFECTS["bandreject"] = _around(F.bandreject_biquad)
EFFECTS["allpass"] = _around(F.allpass_biquad)


@effect
def bandpass(samples, given):
    constant_skirt = "-c" in given.flags("-c")
    frequency = given.frequency()
    quality = given.quality(frequency, unit="h")
    return F.bandpass_biquad(samples, given.rate, frequency, quality, constant_skirt), given.rate


@effect
def band(samples, given):
    noise = "-n" in given.flags("-n")
    frequency = given.frequency()
    quality = given.quality(frequency, frequency / 2, unit="h")
    return F.band_biquad(samples, given.rate, frequency, quality, noise), given.rate


@effect
def equalizer(samples, given):
    frequency = given.frequency()
    quality = given.quality(frequency)
    return F.equalizer_biquad(samples, given.rate, frequency, given.number(), quality), given.rate


def _shelf(biquad, default):
    def apply(samples, given):
        gain = given.number()
        frequency = given.frequency(default)
        quality = given.quality(frequency, 0.5, "s", gain)
        return biquad(samples, given.rate, gain, frequency, quality), given.rate

    return apply


EFFECTS["bass"] = _shelf(F.bass_biquad, 100)
EFFECTS["treble"] = _shelf(F.treble_biquad, 3000)


@effect
def biquad(samples, given):
    return F.biquad(samples, *[given.number() for _ in range(6)]), given.rate


@effect
def deemph(samples, given):
    return F.deemph_biquad(samples, given.rate), given.rate


@effect
def riaa(samples, given):
    return F.riaa_biquad(samples, given.rate), given.rate


# Loudness and distortion


def _louder(samples, decibels):
    return samples * 10 ** (decibels / 20)


@effect
def gain(samples, given):
    normalize = "-n" in given.flags("-n")
    decibels = given.number(0)
    if normalize:
        samples = samples / samples.abs().max().clamp(min=2.0**-31)
    return _louder(samples, decibels), given.rate


@effect
def norm(samples, given):
    return _louder(samples / samples.abs().max().clamp(min=2.0**-31), given.number(0)), given.rate


@effect
def vol(samples, given):
    text = given.text()
    given.arguments.insert(0, text[:-2] if text.lower().endswith("db") else text)
    if text.lower().endswith("db"):
        return _louder(samples, given.number()), given.rate
    amount, kind = given.number(), given.text("amplitude")
    if kind not in ("amplitude", "power", "dB"):
        given.fail("amplitude, power or dB", kind)
    if kind == "dB":
        return _louder(samples, amount), given.rate
    return samples * (amount if kind == "amplitude" else math.sqrt(amount)), given.rate


@effect
def contrast(samples, given):
    return F.contrast(samples, given.number(75, 0, 100)), given.rate


@effect
def dcshift(samples, given):
    shift = given.number(low=-2, high=2)
    limiter = given.number(low=0, high=1) if given.arguments else None
    return F.dcshift(samples, shift, limiter), given.rate


@effect
def overdrive(samples, given):
    return F.overdrive(samples, given.number(20, 0, 100), given.number(20, 0, 100)), given.rate


@effect
def tremolo(samples, given):
    speed, depth = given.number(low=0.1), given.number(40, 0, 100)
    turn = 2 * math.pi * speed / given.rate * tallow.arange(samples.shape[1], dtype=samples.dtype)
    return samples * (1 - depth / 200 * (1 - turn.cos())), given.rate


# Echoes


@effect
def echo(samples, given):
    return _echoes(samples, given, max, lambda number: 1)


@effect
def echos(samples, given):
    return _echoes(samples, given, sum, lambda number: number)  # each hears those before it


def _echoes(samples, given, lasting, louder):
    """Delays in ms, each with a decay, times a factor by its number; how long they last in all."""
    gain_in, gain_out = given.number(), given.number()
    delays = []
    while not delays or given.arguments:
        count = int(given.number(low=0) * given.rate / 1000)
        delays.append((count, given.number() * louder(len(delays) + 1)))
    longest = lasting(count for count, _ in delays)
    total = pad(samples * gain_in, (0, longest))
    for count, decay in delays:
        total = total + pad(samples * decay, (count, longest - count))
    return total * gain_out, given.rate


@effect
def phaser(samples, given):
    settings = [given.number(low=0) for _ in range(5)]
    shape = given.text("-s")
    if shape not in ("-s", "-t"):
        given.fail("-s or -t", shape)
    return F.phaser(samples, given.rate, *settings, shape == "-s"), given.rate


@effect
def flanger(samples, given):
    settings = [given.number(default) for default in (0, 2, 0, 71, 0.5)]
    shape = given.text("sine")
    phase = given.number(25, 0, 100)
    interpolation = given.text("linear")
    modulation = "sinusoidal" if shape.startswith("s") else "triangular"
    made = F.flanger(
        samples, given.rate, *settings, phase, modulation,
        "linear" if interpolation.startswith("l") else "quadratic",
    )  # fmt: skip
    return made, given.rate


# Time


@effect
def trim(samples, given):
    places, last = [], 0
    for text in given.rest():
        last = given.position(text, last)
        if last < 0 or (places and last < places[-1]):
            given.fail("positions that follow each other", text)
        places.append(last)
    if not places:
        given.fail("a position", "none")
    if len(places) % 2:
        places.append(given.length)
    spans = zip(places[::2], places[1::2], strict=True)
    return tallow.cat([samples[:, start:stop] for start, stop in spans], 1), given.rate


@effect
def pad_(samples, given):
    parts, cut = [], 0
    texts = given.rest()
    for number, text in enumerate(texts):
        length, _, place = text.partition("@")
        if not place and number > 1:
            given.fail("two lengths, or places with @", " ".join(texts))
        place = given.samples(place) if place else [0, given.length][number]
        if not cut <= place <= given.length:
            given.fail(f"places up to {given.length} samples that follow each other", text)
        silence = samples.new_zeros(samples.shape[0], given.samples(length))
        parts += [samples[:, cut:place], silence]
        cut = place
    return tallow.cat([*parts, samples[:, cut:]], 1), given.rate


@effect
def delay(samples, given):
    starts = [given.samples(text) for text in given.rest()]
    starts += [0] * (samples.shape[0] - len(starts))
    longest = max(starts)
    rows = [pad(row, (start, longest - start)) for row, start in zip(samples, starts, strict=True)]
    return tallow.stack(rows), given.rate


@effect
def reverse(samples, given):
    return samples.flip(-1), given.rate


@effect
def repeat(samples, given):
    return samples.repeat(1, 1 + int(given.number(1, 0))), given.rate


@effect
def fade(samples, given):
    shape = given.text()
    if shape not in _FADES:
        given.arguments.insert(0, shape)
        shape = "l"
    fade_in, end = given.samples(given.text()), given.length
    if given.arguments:
        stop = given.text()
        end = given.length if stop in ("0", "-0") else given.position(stop, 0)
        fade_out = given.samples(given.text()) if given.arguments else fade_in
    else:
        fade_out = 0
    samples = samples[:, :end]
    count = samples.shape[1]
    place = tallow.arange(count, dtype=samples.dtype)
    factor = tallow.ones(count, dtype=samples.dtype)
    if fade_in:
        factor = tallow.where(place < fade_in, _FADES[shape](place / fade_in), factor)
    if fade_out:
        left = (count - place) / fade_out
        factor = tallow.where(left < 1, factor * _FADES[shape](left), factor)
    return samples * factor, given.rate


# How loud a fade is at a part of it: quarter sine, half sine, linear, logarithmic, parabola.
_FADES = {
    "q": lambda x: (x * math.pi / 2).sin(),
    "h": lambda x: (1 - (x * math.pi).cos()) / 2,
    "t": lambda x: x,
    "l": lambda x: tallow.pow(0.1, (1 - x) * 5),
    "p": lambda x: 1 - (1 - x).square(),
}


@effect
def vad(samples, given):
    names = {
        "-t": "trigger_level", "-T": "trigger_time", "-s": "search_time", "-g": "allowed_gap",
        "-p": "pre_trigger_time",
    }  # fmt: skip
    settings = {}
    while given.arguments:
        flag = given.text()
        if flag not in names:
            given.fail(f"flags of {', '.join(names)}", flag)
        settings[names[flag]] = given.number(low=0)
    return F.vad(samples, given.rate, **settings), given.rate


# Rates


@effect
def rate(samples, given):
    given.flags("-q", "-l", "-m", "-h", "-v", "-I", "-L", "-M", "-s", "-a")
    text = given.text()
    match = re.fullmatch(r"([\d.]+)(k?)", text)
    new = int(float(match[1]) * (1000 if match[2] else 1)) if match else 0
    if new < 1:
        given.fail("a sample rate in Hz", text)
    count = int(samples.shape[1] * new / given.rate + 0.5)
    made = F.resample(samples, given.rate, new, 64, 0.95, "sinc_interp_kaiser", 12.0)
    return made[:, :count], new


@effect
def speed(samples, given):
    text = given.text()
    if text.endswith("c"):
        given.arguments.insert(0, text[:-1])
        factor = 2 ** (given.number() / 1200)
    else:
        given.arguments.insert(0, text)
        factor = given.number(low=1e-3)
    return samples, int(given.rate * factor + 1e-9)  # "rate" brings it back to the old one


@effect
def tempo(samples, given):
    profile = "".join(given.flags("-m", "-s"))
    return stretched(samples, given.rate, given.number(low=0.1, high=100), profile), given.rate


@effect
def pitch(samples, given):
    factor = 2 ** (given.number() / 1200)
    return stretched(samples, given.rate, 1 / factor), int(given.rate * factor + 1e-9)


@effect
def downsample(samples, given):
    factor = int(given.number(2, 1))
    return samples[:, ::factor], given.rate // factor


@effect
def upsample(samples, given):
    factor = int(given.number(2, 1))
    spread = tallow.stack([samples, *[tallow.zeros_like(samples)] * (factor - 1)], -1)
    return spread.reshape(samples.shape[0], -1), given.rate * factor


# Channels


@effect
def channels(samples, given):
    count, have = int(given.number(low=1)), samples.shape[0]
    if count > have:
        return samples[tallow.arange(count) % have], given.rate
    return tallow.stack([samples[n::count].mean(0) for n in range(count)]), given.rate


@effect
def remix(samples, given):
    automatic = "-m" not in given.flags("-m", "-a", "-p")
    rows = [_mixed(samples, text, automatic, given) for text in given.rest() or [given.text()]]
    return tallow.stack(rows), given.rate


def _mixed(samples, text, automatic, given):
    """One output channel of channels "1,3-4v0.5": their sum, or mean where no factor is given."""
    if text == "0":
        return tallow.zeros_like(samples[0])
    terms, plain = [], automatic and "v" not in text
    for part in text.split(","):
        match = re.fullmatch(r"(\d*)(-?)(\d*)(?:v(-?\d*\.?\d+))?", part)
        first = int(match[1] or 1) if match else 0
        last = (int(match[3] or samples.shape[0]) if match[2] else first) if match else 0
        if not 1 <= first <= last <= samples.shape[0]:
            given.fail(f"channels from 1 to {samples.shape[0]}", part)
        factor = float(match[4]) if match[4] else 1.0
        terms += [samples[n - 1] * factor for n in range(first, last + 1)]
    return sum(terms) / (len(terms) if plain else 1)


@effect
def swap(samples, given):
    places = [n ^ 1 if n ^ 1 < samples.shape[0] else n for n in range(samples.shape[0])]
    return samples[tallow.tensor(places)], given.rate
