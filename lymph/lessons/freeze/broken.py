"""BROKEN ON PURPOSE: the statistics of a frozen backbone run on."""

from lymph.lessons.made_up import CNN, train_one_epoch

epochs = 2
model = CNN()

# ---- what the lesson shows ----
for p in model.backbone.parameters():
    p.requires_grad = False
for epoch in range(epochs):
    model.train()  # statistics run on
    train_one_epoch(model)
