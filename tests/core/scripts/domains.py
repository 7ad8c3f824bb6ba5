"""torchvision, torchtext and torchaudio beside torch: what scripts import of them."""

import torch
import torch.nn as nn
import torchaudio
import torchaudio.transforms as audio_transforms
import torchvision
import torchvision.datasets as datasets
import torchvision.models as models
import torchvision.transforms as transforms
import torchvision.transforms.functional as TF
from torch.utils.data import DataLoader
from torchtext.data.utils import get_tokenizer
from torchtext.vocab import build_vocab_from_iterator
from torchvision import utils as vutils
from torchvision.transforms import v2

torch.manual_seed(0)
normalize = transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
train_dataset = datasets.FakeData(12, (3, 40, 40), 4, transforms.Compose([
    transforms.RandomResizedCrop(32),
    transforms.RandomHorizontalFlip(),
    transforms.ColorJitter(0.2, 0.2),
    transforms.ToTensor(),
    normalize,
]))
train_loader = DataLoader(train_dataset, batch_size=6, shuffle=True, num_workers=2)
model = models.__dict__['squeezenet1_1'](num_classes=4)
model.classifier[1] = nn.Conv2d(512, 4, kernel_size=1)
optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.01)
for images, target in train_loader:
    loss = nn.CrossEntropyLoss()(model(images), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(tuple(images.shape), loss.item() > 0)
augmented = v2.Compose([v2.RandomCrop(24), v2.ToDtype(torch.float32, scale=True)])(
    torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8))
print(tuple(augmented.shape), tuple(vutils.make_grid(images, nrow=3).shape))
print(TF.to_pil_image(augmented).size, torchvision.__name__, torchaudio.__name__)

tokenizer = get_tokenizer('basic_english')
vocab = build_vocab_from_iterator(map(tokenizer, ['A cat sat.', 'The cat ran!']), specials=['<unk>'])
vocab.set_default_index(vocab['<unk>'])
print(vocab(tokenizer('the cat flew')))

spectrogram = audio_transforms.MelSpectrogram(sample_rate=8000, n_fft=256, n_mels=16)
waveform = torch.sin(torch.arange(4000) * 0.3).unsqueeze(0)
print(tuple(spectrogram(waveform).shape), tuple(torchaudio.functional.resample(waveform, 8000, 4000).shape))
