"""`python -m tallowaudio convert FILE TO`."""

import tallowaudio


def arguments(parser):
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("to", metavar="TO", help="its ending says the format")
    parser.add_argument("--rate", type=int, help="the sample rate, in Hz")
    parser.add_argument("--mono", action="store_true", help="the mean of all channels")
    parser.add_argument("--start", type=float, default=0.0, help="seconds to leave out")
    parser.add_argument("--seconds", type=float, help="how much to keep")
    parser.add_argument("--encoding", help="PCM_S, PCM_U, PCM_F, ULAW or ALAW, where there is one")
    parser.add_argument("--bits", type=int, help="bits a sample, where the format has several")


def run(options):
    about = tallowaudio.info(options.file)
    rate = about.sample_rate
    start = round(options.start * rate)
    count = -1 if options.seconds is None else round(options.seconds * rate)
    plain = not options.mono and options.rate in (None, rate)
    samples, rate = tallowaudio.load(options.file, start, count, normalize=not plain)
    if options.mono:
        samples = samples.mean(0, keepdim=True)
    if options.rate is not None:
        samples = tallowaudio.functional.resample(samples, rate, options.rate)
        rate = options.rate
    encoding, bits = options.encoding, options.bits
    if options.to.lower().endswith(".wav") and encoding is None and bits is None:
        encoding, bits = _usual(about)
    tallowaudio.save(options.to, samples, rate, encoding=encoding, bits_per_sample=bits)
    print(f"{options.to}: {samples.shape[1] / rate:.3f} s at {rate} Hz")
    return 0


def _usual(about):
    """The encoding and the bits of a WAV file: those of the original, or 16 bits."""
    if about.encoding.startswith("PCM") or about.encoding in ("ULAW", "ALAW"):
        signed = "PCM_S" if about.bits_per_sample > 8 else "PCM_U"
        return signed if about.encoding == "PCM_S" else about.encoding, about.bits_per_sample
    return "PCM_S", 24 if about.bits_per_sample > 16 else 16
