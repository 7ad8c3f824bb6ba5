"""Texts with references that metrics are compared on (`tools/goldens/text_metrics.py`)."""

CORPORA = [
    (["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."],
     [["The dog bit the man.", "The dog had bit the man."],
      ["It was not unexpected.", "No one was surprised."],
      ["The man bit him first.", "The man had bitten the dog."]]),
    (["the cat is on the mat", "", "a b c d e f g"],
     [["the cat sat on the mat"], ["something"], ["a b c d x y z e f g"]]),
    (["Größe 3.5 kg, „Übermut“ — 20-30 % (ca.) &quot;x&quot; a&amp;b", "我能吞下玻璃而不伤身体。"],
     [["Größe 3,5 kg: „Übermut“ – 20-30 % (etwa) \"x\" a & b"], ["我可以吞下玻璃,不伤身体。"]]),
    (["zzz"], [["The cat"]]),
    (["yes"], [["yes", "no"]]),
    (["Hello, world! (again) 'quoted' $5.00 e-mail", "one-\ntwo   three"],
     [["Hello world ! again quoted $5 email", "Hello, World! (again)"],
      ["one two three", "onetwo"]]),
]  # fmt: skip
FOUND, WANTED = [0, 1, 1, 2, 2, 2, 0, 1, 3], [0, 1, 2, 2, 2, 1, 0, 0, 4]
