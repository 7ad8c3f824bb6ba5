"""Effects that are compared with SoX's; `tools/goldens/audio_sox.py` records what it gives."""

import numpy as np

# Channels, and a chain of effects, at 8 kHz; "@44100" at that rate.
CASES = [
    (channels, [effect.split() for effect in chain.split(" | ")])
    for channels, chains in (
        (2, """lowpass 900; lowpass -1 900; highpass 900 1.1q; highpass -1 1k; lowpass 900 1o
            bandpass 900 200; bandpass -c 900 1.5q; bandreject 900 1o; allpass 900 300; band 900
            lowpass 900 300h; band -n 900 300; band 900 2q; equalizer 900 1q 6; bass 6
            equalizer 900 300h -6; bass -6 200 1q; treble 5; treble 5 2k 0.4s; riaa @44100
            biquad 0.4 0.2 0.9 0.7 0.2 0.6; deemph @44100; gain -6; gain -n; gain -n -3; norm
            norm -2; vol 0.5; vol -3dB; vol 0.5 power; vol 3 dB; contrast; contrast 20; dcshift 0.3
            dcshift 0.6 0.05; overdrive; overdrive 10 40; tremolo 20; tremolo 5 80
            echo 0.8 0.9 20 0.4; echo 0.8 0.88 20 0.4 35 0.3; echos 0.8 0.7 20 0.25 30 0.3
            phaser 0.6 0.66 3 0.6 2 -t; phaser 0.8 0.74 3 0.4 0.5; flanger; swap
            flanger 1 3 40 60 2 tri 50 quad; channels 1; channels 3; remix 1; remix -; remix 1,2
            remix 2 1v0.3,2v0.5 0; delay 0.01 0.02; lowpass 700 | gain -3 | reverse | trim 0.05"""),
        (1, """trim 0.05; trim 0.05 0.1; trim 0.05 =0.1; trim 0 -0.05; trim -0.05; speed 1.5
            trim 100s 50s 0.01 =0.15; pad 0.01; pad 0.01 0.02; pad 50s@0.1; delay 0.01; reverse
            repeat; repeat 2; fade 0.05; fade q 0.05; fade h 0.05 0 0.04; fade t 0.05 0.1
            fade p 0.02 0.1 0.05; fade l 0.05 0; rate 4000; rate 16k; speed 100c; downsample 3
            upsample 2; channels 2; tempo 1.3; tempo 0.8; tempo -m 1.4; tempo -s 0.7; pitch 300
            vad; speed 1.2 | rate 8000; pitch -200 | rate 8000"""),
        (3, "remix -m 1,3; channels 2; remix 1-2"),
    )
    for line in chains.split("\n") for chain in (c.strip() for c in line.split(";"))
]  # fmt: skip


def given(number):
    """The waveform (channels, time), its sample rate and the effects of a case."""
    channels, effects = CASES[number]
    rate = 44100 if effects[-1][-1] == "@44100" else 8000
    effects = [[word for word in effect if word != "@44100"] for effect in effects]
    t, rng = np.arange(900) / 8000, np.random.default_rng(1)
    tones = [np.sin(2 * np.pi * (300 + 200 * c) * t * (1 + t)) for c in range(channels)]
    return np.float32(0.4 * np.stack(tones) + rng.normal(0, 0.05, (channels, 900))), rate, effects
