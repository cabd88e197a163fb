"""BROKEN ON PURPOSE: validation leaves the model in evaluation mode, and nothing switches back."""

from lymph.lessons.made_up import CNN, batches, step, validate

epochs = 3
model = CNN()
train_loader = batches()

# ---- what the lesson shows ----
model.train()
for epoch in range(epochs):
    for pictures, y in train_loader:
        step(model, pictures, y)
    validate(model)  # calls model.eval()
