"""`python -m tallowaudio spectrogram FILE -o PNG`."""

import tallowaudio
from tallow.errors import ArgumentError
from tallowaudio import _picture, transforms


def arguments(parser):
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("-o", "--output", required=True, metavar="PNG")
    parser.add_argument("--mel", type=int, metavar="N", help="gather it into N mel bands")
    parser.add_argument("--n-fft", type=int, default=512, help="samples in a frame")
    parser.add_argument("--width", type=int, default=1200, help="pixels at most")
    parser.add_argument("--height", type=int, default=400, help="pixels at least")
    parser.add_argument("--range", type=float, default=80.0, help="decibels from bright to dark")


def run(options):
    samples, rate = tallowaudio.load(options.file)
    if samples.shape[1] <= options.n_fft // 2:
        raise ArgumentError(
            f"{options.file}: expected more than {options.n_fft // 2} frames, got "
            f"{samples.shape[1]}; make --n-fft smaller"
        )
    samples = samples.mean(0)
    hop = max(options.n_fft // 4, -(-len(samples) // options.width))
    if options.mel:
        spectrum = transforms.MelSpectrogram(
            rate, options.n_fft, hop_length=hop, n_mels=options.mel
        )
    else:
        spectrum = transforms.Spectrogram(options.n_fft, hop_length=hop)
    decibels = transforms.AmplitudeToDB(top_db=options.range)(spectrum(samples))
    _picture.write_png(options.output, _picture.heat_map(decibels.numpy(), options.height))
    scale = f"{options.mel} mel bands" if options.mel else "linear"
    print(
        f"{options.output}: {len(samples) / rate:.3f} s, 0 to {rate // 2} Hz ({scale}), "
        f"{decibels.min():.0f} to {decibels.max():.0f} dB"
    )
    return 0
