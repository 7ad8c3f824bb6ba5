"""What tallowtext is compared on, as text that is evaluated with torchtext or with tallowtext.

`tools/goldens/text.py` evaluates it with torchtext 0.18 and records what it gives.
"""

import random
import unicodedata

LINES = [
    "It's a \"test\" (really!), isn't it?; yes: no <br />next line...",
    "  Spaces\tand\u00a0tabs \u2003 here ", "", "ÄÖÜ ß İstanbul ΣΑΣ ǅ 中文，字 🙂🙂 e\u0301",
    "<br /><br />a<br/>b. c,d;e:f!g?h(i)j'k\"l", "The cat and the dog and THE bird.",
]  # fmt: skip

SENTENCES = [
    "The quick brown fox jumps over the lazy dog, doesn't it? I've seen 1234 of 5,678 (34.5%)!",
    "It's they're we'll I'd he'm 'tis o'clock  's   'll x 't",
    "Größe und Übermut: daß, naïve café, Ærøskøbing, Łódź, İstanbul'da ışık, ﬁnd ﬂow ½ ²",
    "Cafe\u0301 e\u0308 n\u0303 A\u030a o\u0302\u0301 combining \u1e69 \u0073\u0323\u0307",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. Ёлка",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία, ΣΊΣΥΦΟΣ ς",
    "我能吞下玻璃而不伤身体。 東京タワーへ行きました、ｶﾀｶﾅ　全角１２３ＡＢＣ",
    "다람쥐 헌 쳇바퀴에 타고파 한글 조합",
    "نص حكيم له سر قاطع وذو شأن عظيم ١٢٣",
    "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण १२३ ไทย กำลัง",
    "👩‍👩‍👧‍👦 🙂🙃 🇩🇪 ❤️ © ® ™ … — – ‘single’ “double” €100 £5 $7 + = < > ^ ` | ~",
    "  leading, tabs\tand\u00a0no-break \u2003wide\u3000spaces \u200bzero  \n\nlines\r\nend \n",
    "<|startoftext|>start <|endoftext|> x<|endoftext|> !<|endoftext|>,<|endoftext|><|endoftext|>",
    "<pad> a [SEP] b[SEP]c  [SEP]  <s> <unk> </s> <0x41> ▁under▁line <ａ>[sep] ａ",
    "averyveryveryveryverylongwordthatgoesonandonandonandonandonandonandonandonandonandonandonandon"
    "andon достопримечательностидостопримечательностидостопримечательности short",
    "under_scores camelCase snake_case http://example.org/?a=b&c=d#e user@example.org C++ a/b\\c",
    "\x1cfile \x85next \ufeffmark \ufffdreplaced \u2028line \u00adsoft \ue000private",
    "it'ſ a\u0345b \u0345 aaaaaaaa aaa aa a hahahahaha nonono 000000 ...... !!!??? ---- ____",
    " ",
    "",
    "a",
    "\n",
    "▁",
]


def scrambled(count=150, seed=0):
    """Texts of characters drawn from the sentences, and here and there from all of Unicode."""
    draw = random.Random(seed)
    known = "".join(SENTENCES) + " " * 60
    for _ in range(count):
        chars = draw.choices(known, k=draw.randrange(1, 40))
        for place in draw.sample(range(len(chars)), len(chars) // 8):
            chars[place] = chr(draw.choice(ASSIGNED))
        yield "".join(chars)


# Characters that the Unicode of 2010 had, so that the libraries compared agree what they are.
BLOCKS = [(0x20, 0x250), (0x300, 0x370), (0x390, 0x500), (0x5D0, 0x5EB), (0x905, 0x930),
          (0xE01, 0xE3B), (0x1100, 0x1160), (0x1E00, 0x1F00), (0x2010, 0x2060), (0x2070, 0x208F),
          (0x2150, 0x2185), (0x2200, 0x2300), (0x3000, 0x3100), (0x4E00, 0x4F00),
          (0xAC00, 0xAD00), (0xFB00, 0xFB07), (0xFF01, 0xFF9F), (0x1D400, 0x1D455),
          (0x1F600, 0x1F640), (0x20000, 0x20100)]  # fmt: skip
ASSIGNED = [code for low, high in BLOCKS for code in range(low, high)
            if unicodedata.category(chr(code)) != "Cn"]  # fmt: skip
TEXTS = SENTENCES + list(scrambled())

CORPUS = ["the cat and the dog".split(), "a cat and a bird".split(), ["the", "<unk>", "ü"]]
NAMES = {"LINES": LINES, "CORPUS": CORPUS, "TEXTS": TEXTS}

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

# Tokenizers by name, as text to evaluate with the folder of vocabularies as V.
TOKENIZERS = {
    "gpt2": "T.GPT2BPETokenizer(V + 'gpt2.json', V + 'gpt2.bpe'{})",
    "clip": "T.CLIPTokenizer(V + 'clip.bpe', num_merges=827{})",
    "clip300": "T.CLIPTokenizer(V + 'clip.bpe', num_merges=300{})",
    "char": "T.CharBPETokenizer(V + 'char.json', V + 'char.bpe'{}, unk_token='<unk>',"
    " suffix='</w>', special_tokens=['<s>', '<unk>'])",
    "bert": "T.BERTTokenizer(V + 'bert.txt'{})",
    "cased": "T.BERTTokenizer(V + 'bert.txt', do_lower_case=False{})",
    "accents": "T.BERTTokenizer(V + 'bert.txt', do_lower_case=False, strip_accents=True{})",
    "kept": "T.BERTTokenizer(V + 'bert.txt'{}, never_split=['[SEP]', 'Größe'])",
}
SPECIALS = {"pad_token": "<pad>", "eos_token": "<|endoftext|>",
            "additional_special_tokens": ["[SEP]", "-_|x"]}  # fmt: skip


def tokenized(folder, transforms, load_sp_model):
    """What each tokenizer gives for TEXTS: a dict of lists of tokens and of their numbers."""
    names, results = {"T": transforms, "V": f"{folder}/"}, {}
    for name, made in TOKENIZERS.items():
        tokens = eval(made.format(", return_tokens=True"), names)
        numbers = eval(made.format(""), names)
        results[f"{name} tokens"] = tokens(TEXTS)
        results[f"{name} numbers"] = numbers(TEXTS)
        if name == "gpt2":
            new = [numbers.add_special_tokens(SPECIALS), tokens.add_special_tokens(SPECIALS)]
            results["gpt2 special"] = [new, tokens(TEXTS), numbers(TEXTS)]
            results["gpt2 decoded"] = [numbers.decode(numbers(text)) for text in SENTENCES]
        if name == "char":
            results["char decoded"] = [numbers.decode(numbers(text)) for text in TEXTS]
    for name in ("unigram", "bpe"):
        model = load_sp_model(f"{folder}/{name}.model")
        pieces = [model.EncodeAsPieces(text) for text in TEXTS]
        results[f"{name} tokens"] = pieces
        results[f"{name} numbers"] = [model.EncodeAsIds(text) for text in TEXTS]
        decoded = [model.DecodeIds(ids) for ids in results[f"{name} numbers"]]
        results[f"{name} decoded"] = [decoded, list(map(model.DecodePieces, pieces))]
        results[f"{name} model"] = [
            model.GetPieceSize(), model.unk_id(), model.PieceToId("no piece"),
            model.IdToPiece(20), model.PieceToId(model.IdToPiece(20)),
        ]  # fmt: skip
        shortened = model.DecodePieces(["▁", "▁a", "<unk>", "▁▁b", "▁", "<s>", "<0xE4>", "x"])
        results[f"{name} odd"] = shortened
    return results


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
