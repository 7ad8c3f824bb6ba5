"""`python -m tallowtext neighbours WORD`."""


def arguments(parser):
    parser.add_argument("word")
    parser.add_argument(
        "--vectors", default="small", metavar="NAME",
        help="a file, published vectors (glove.6B.50d, an archive of 862 MB), or small: 10,000 "
        "words that came with the package",
    )  # fmt: skip
    parser.add_argument("--count", type=int, default=10, help="how many")


def run(options):
    from tallowtext.models import word_vectors
    from tallowtext.vocab import Vectors, pretrained_aliases

    name = options.vectors
    if name == "small":
        known = word_vectors()
    else:
        known = pretrained_aliases.get(name, lambda: Vectors(name))()
    for other, cosine in known.nearest(options.word, options.count):
        print(f"{cosine:.3f} {other}")
    return 0
