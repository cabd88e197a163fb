"""A frozen backbone stays in evaluation mode."""

from lymph.lessons.made_up import CNN, train_one_epoch

epochs = 2
model = CNN()

# ---- what the lesson shows ----
for p in model.backbone.parameters():
    p.requires_grad = False
for epoch in range(epochs):
    model.train()
    model.backbone.eval()  # statistics stay
    train_one_epoch(model)
