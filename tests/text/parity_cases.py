"""What tallowtext is compared on, as text that is evaluated with torchtext or with tallowtext.

`tools/goldens/text.py` evaluates it with torchtext 0.18 and records what it gives.
"""

LINES = [
    "It's a \"test\" (really!), isn't it?; yes: no <br />next line...",
    "  Spaces\tand\u00a0tabs \u2003 here ", "", "ÄÖÜ ß İstanbul ΣΑΣ ǅ 中文，字 🙂🙂 e\u0301",
    "<br /><br />a<br/>b. c,d;e:f!g?h(i)j'k\"l", "The cat and the dog and THE bird.",
]  # fmt: skip

CORPUS = ["the cat and the dog".split(), "a cat and a bird".split(), ["the", "<unk>", "ü"]]
NAMES = {"LINES": LINES, "CORPUS": CORPUS}

_BUILD = "build_vocab_from_iterator(CORPUS"
_VOCABS = [
    f"{_BUILD})", f"{_BUILD}, min_freq=2)", f"{_BUILD}, specials=['<unk>', '<pad>'])",
    f"{_BUILD}, specials=['<unk>'], special_first=False)",
    f"{_BUILD}, specials=['<unk>', 'zz'], max_tokens=5)", f"{_BUILD}, max_tokens=3)",
    f"{_BUILD}, min_freq=2, specials=['<unk>'], special_first=False, max_tokens=4)",
    "vocab({'b': 2, 'a': 3, 'c': 1})", "vocab({'b': 2, 'a': 3, 'c': 1}, min_freq=2)",
    "vocab({'b': 2, 'a': 3}, specials=['a', 's'])",
]  # fmt: skip

_EDITED = "(v.insert_token('new', 1), v.append_token('last'), v.set_default_index(2))"

CASES = [
    *(f"{v}.get_itos()" for v in _VOCABS),
    *(f"sorted({v}.get_stoi().items())" for v in _VOCABS[:3]),
    f"[(v, {_EDITED}, v.get_itos(), v(['the', 'zzz', 'new', 'last']), v['none'], 'cat' in v,"
    " len(v), v.lookup_token(1), v.lookup_tokens([0, 3]), v.get_default_index())[2:]"
    f" for v in [{_VOCABS[2]}]][0]",
    *(f"get_tokenizer('basic_english')(LINES[{i}])" for i in range(len(LINES))),
    *(f"get_tokenizer(None)(LINES[{i}])" for i in range(len(LINES))),
    "list(ngrams_iterator('a b c d'.split(), 3))", "list(ngrams_iterator(['a'], 2))",
    "interleave_keys(5, 9)", "interleave_keys(65535, 1)",
    "bleu_score([['My', 'full', 'pytorch', 'test'], ['Another', 'Sentence']],"
    " [[['My', 'full', 'pytorch', 'test'], ['Completely', 'Different']], [['No', 'Match']]])",
    "bleu_score([LINES[0].split()], [[LINES[4].split()]])",
    "bleu_score(['a b c d e f'.split(), 'g h i'.split()],"
    " [['a b c x e f'.split(), 'a b c d'.split()], ['g h i j k'.split()]], 3, [0.5, 0.25, 0.25])",
    "T.VocabTransform(vocab({'a': 1, 'b': 1}))([['a', 'b'], ['b']])",
    "T.VocabTransform(vocab({'a': 1, 'b': 1}))(['b', 'a'])",
    "T.ToTensor()([3, 1])", "T.ToTensor(padding_value=7)([[3, 1], [2]])",
    "T.ToTensor(dtype=torch.float32)([[3, 1], [2, 2]])",
    "T.LabelToIndex(['b', 'a'])(['a', 'b'])", "T.LabelToIndex(['b', 'a'], sort_names=True)('a')",
    "T.Truncate(2)([[1, 2, 3], [4]])", "T.Truncate(2)(['a', 'b', 'c'])",
    "T.AddToken(0)([[1, 2], [3]])", "T.AddToken('x', begin=False)(['a'])",
    "T.PadTransform(5, 9)(torch.tensor([[1, 2], [3, 4]]))",
    "T.PadTransform(1, 9)(torch.tensor([1, 2]))", "T.StrToIntTransform()([['1', '23'], ['4']])",
    *(f"T.RegexTokenizer([(r'[,.;?!]+', r' '), (r'(\\w+)t', r'\\1 t')])(LINES[{i}])"
      for i in (0, 4, 5)),
    "T.Sequential(T.VocabTransform(vocab({'a': 1, 'b': 1})), T.Truncate(2), T.AddToken(9),"
    " T.ToTensor(0))([['a', 'b', 'a'], ['b']])",
    *(f"(torch.manual_seed({seed}), T.MaskTransform(50, 4, 6, 5, {bos}, 0.3)("
      "torch.arange(48).reshape(3, 16) % 9))[1]" for seed in range(3) for bos in (True, False)),
]  # fmt: skip


def plain(result):
    """A result in the types that JSON knows."""
    if hasattr(result, "tolist"):
        return [str(result.dtype).rpartition(".")[2], list(result.shape), result.tolist()]
    if isinstance(result, list | tuple):
        return [plain(item) for item in result]
    return result


def evaluate(case, torch, transforms, functions):
    """What a case gives; `functions` is a dict of the other names in it."""
    return plain(eval(case, {"torch": torch, "T": transforms} | functions | NAMES))
