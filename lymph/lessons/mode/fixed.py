"""Every epoch begins in training mode."""

from lymph.lessons.made_up import CNN, batches, step, validate

epochs = 3
model = CNN()
train_loader = batches()

# ---- what the lesson shows ----
for epoch in range(epochs):
    model.train()
    for pictures, y in train_loader:
        step(model, pictures, y)
    validate(model)  # calls model.eval()
