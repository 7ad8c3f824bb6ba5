"""`python -m tallowtext generate`."""

from tallow.errors import ArgumentError


def arguments(parser):
    parser.add_argument("--prompt", default="\n", help="what the text begins with")
    parser.add_argument(
        "--model", metavar="DIR", help="a GPT-2: config.json, weights and tokenizer.json"
    )
    parser.add_argument("--length", type=int, default=100, help="new tokens at most")
    parser.add_argument(
        "--temperature", type=float, default=0.7, help="0: the likeliest token each time"
    )
    parser.add_argument("--top-k", type=int, default=40)
    parser.add_argument("--top-p", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0)


def run(options):
    import tallow

    if options.length < 1:
        raise ArgumentError(f"generate: expected a length from 1, got {options.length}")
    tallow.manual_seed(options.seed)
    tokenizer, writer = _writer(options.model)
    tokens = tallow.tensor([tokenizer.encode(options.prompt)], dtype=tallow.long)
    how = {"top_k": options.top_k, "top_p": options.top_p}
    if options.temperature:
        how |= {"do_sample": True, "temperature": options.temperature}
    new = min(options.length, writer.config.max_seq_len // 2)
    for start in range(0, options.length, new):  # a text longer than the model sees at once
        known = tokens[:, -(writer.config.max_seq_len - new) :]
        found = writer.generate(known, min(new, options.length - start), **how)
        tokens = tallow.cat([tokens, found[:, known.shape[1] :]], 1)
    print(tokenizer.decode(tokens[0]))
    return 0


def _writer(folder):
    from tallowtext import Tokenizer, models

    if folder is None:
        return models.ShakespeareGPT_Weights.DEFAULT.transforms(), models.shakespeare_gpt()
    return Tokenizer.from_pretrained(folder), models.GPT2Model.from_pretrained(folder)
