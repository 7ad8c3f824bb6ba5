"""A first network: three linear layers learn 32 random labels.

It is a program for PyTorch in which only the three import lines were changed.
"""

import tallow as torch
import tallow.nn as nn
import tallow.optim as optim

torch.manual_seed(0)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.fc3(x)


model = Network()
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.01)

inputs = torch.randn(32, 784)
labels = torch.randint(0, 10, (32,))

for epoch in range(25):
    outputs = model(inputs)
    loss = criterion(outputs, labels)

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

    print(f"Epoch {epoch + 1:2d}  loss {loss.item():.5f}")
