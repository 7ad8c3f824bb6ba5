"""Models of text, and weights for them."""

from tallowtext.models._pretrained import from_pretrained
from tallowtext.models._reading import Reader
from tallowtext.models.bert import *
from tallowtext.models.bundles import *
from tallowtext.models.classifiers import *
from tallowtext.models.gpt2 import *
from tallowtext.models.ngrams import *
from tallowtext.models.roberta import *
from tallowtext.models.seq2seq import *
from tallowtext.models.shipped import *
from tallowtext.models.t5 import *
