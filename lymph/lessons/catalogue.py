"""The words of the lessons: question, guesses, lines, take-away, source. No torch here."""

from dataclasses import replace

from lymph.errors import LymphError
from lymph.lessons.confidence.words import LESSON as CONFIDENCE
from lymph.lessons.control.words import LESSON as CONTROL
from lymph.lessons.coverage.words import LESSON as COVERAGE
from lymph.lessons.lesson import Lesson
from lymph.lessons.patient_names.words import LESSON as PATIENT_NAMES
from lymph.lessons.selection.words import LESSON as SELECTION
from lymph.text import brief

FROM_THE_NOTEBOOK: tuple[Lesson, ...] = (
    Lesson(
        slug="leak",
        module_name="leak",
        title="From 51 % to 99 %",
        question="Same model, two ways to split: which accuracy do you believe?",
        story=(
            "For the very same lymphoma pictures people report anything from 51 % to 99 %. The high"
            " figures come from test pictures that were assigned at random, one by one; the low"
            " ones from patients of whom no picture was in training.\n\nWe train one small network"
            " twice, from the same start and equally long. Only the split differs."
        ),
        choices=(
            "Split by picture, the model looks no better",
            "By picture looks a little better, up to 10 points",
            "By picture looks much better, over 10 points",
        ),
        task="One small colour network, trained once under each split, 18 epochs each.",
        because=(
            "Each slide has its own stain, light and camera. Under a split by picture nearly every"
            " test picture has others of the same patient in training, so the network can recognise"
            " the patient and answer with that patient's class. On a patient it has never met, that"
            " knowledge is worth nothing."
        ),
        broken=(
            "# pictures are assigned at random\n"
            "order = rng.permutation(len(table))\n"
            "train = table.iloc[order[:300]]\n"
            "test = table.iloc[order[300:]]"
        ),
        mended=(
            "# patients are assigned at random\n"
            'patients = rng.permutation(table["patient"].unique())\n'
            'test = table[table["patient"].isin(patients[:6])]\n'
            'train = table[~table["patient"].isin(patients[:6])]'
        ),
        takeaway=(
            "Split by patient, because the next picture will come from a patient nobody has seen."
            " When you read an accuracy, ask first what was kept apart."
        ),
        source="Bussola et al. 2020: up to 41 % inflation when a subject stands on both sides",
        source_address="https://arxiv.org/abs/1909.06539",
        terms=("accuracy", "split", "leak", "training set", "test set", "interval"),
        seconds=25,
    ),
    Lesson(
        slug="stale-optimiser",
        module_name="stale_optimiser",
        title="A loss that never moves",
        question="A weighted loss gives 35.38 %, and the loss never moves. What is broken?",
        story=(
            "Task 6 of the notebook adds class weights to the loss. The test accuracy falls to"
            " 35.38 % and the validation loss reads 0.093497 after every epoch, beside a training"
            " loss of 0.072148. The author wrote: *I assume I may have done something wrong when"
            " calculating the weights.*\n\nWhere would you look first?"
        ),
        choices=(
            "The class weights are wrong",
            "The learning rate is far too small",
            "The optimiser moves another model",
        ),
        task="The same weighted training twice: with an earlier model's optimiser, and its own.",
        because=(
            "An optimiser holds a list of parameters, not a model. A new model was built and the"
            " old list was kept: gradients were computed for the new one, and the old one was"
            " stepped. So the new network stayed random, called nearly everything MCL and was right"
            " on the 23 MCL pictures of 65: 35.38 %. The sum of the batches' losses was divided by"
            " the pictures, which hid that both losses are those of guessing, ln 3 = 1.099: in"
            " training 0.072148 × 275 pictures / 18 batches = 1.102, in validation 0.093497 × 34 /"
            " 3 = 1.060."
        ),
        broken=(
            "optimiser = Adam(model.parameters())\n"
            "...\n"
            "model = CNN(classes=3)          # a new model\n"
            "loss = CrossEntropyLoss(weight=weights)\n"
            "train(model, loss, optimiser)   # the old list"
        ),
        mended=(
            "model = CNN(classes=3)\n"
            "loss = CrossEntropyLoss(weight=weights)\n"
            "# a new optimiser for every model\n"
            "optimiser = Adam(model.parameters())\n"
            "train(model, loss, optimiser)"
        ),
        takeaway=(
            "Make a new optimiser whenever you make a new model or start a new phase. A loss that"
            " stays at ln K (K classes) means that nothing is being learned: look at whether the"
            " parameters move before you doubt anything else."
        ),
        source="PyTorch: torch.optim, constructing an optimiser",
        source_address="https://docs.pytorch.org/docs/stable/optim.html",
        terms=("optimiser", "loss", "parameters", "epoch", "batch", "class weights"),
        seconds=15,
    ),
    Lesson(
        slug="broadcast",
        module_name="broadcast",
        title="152.94 %",
        question="How can an accuracy be larger than 100 %?",
        story=(
            "Task 7 of the notebook fine-tunes ResNet-50 and prints a validation accuracy of"
            " 1.529412. The author wrote: *I am not sure how to interpret the accuracy being"
            " greater than 1.* The program took that epoch for its best model.\n\nThe labels are"
            " one-hot rows such as 0 1 0; the predictions are class numbers such as 1."
        ),
        choices=(
            "The model is right more than once for each picture",
            "Every picture is compared with a whole row of the labels",
            "The number of pictures was counted wrongly",
        ),
        task="One training; the validation accuracy of each epoch is counted both ways.",
        because=(
            "NumPy and PyTorch stretch the column of predictions over the three columns of the"
            " labels. Calling CLL (number 0) matches the two zeros of any row, calling FL (number"
            " 1) matches its single 1, calling MCL matches nothing. The truth plays no part: with"
            " 18 pictures called CLL and 16 called FL the figure is (2 × 18 + 16) / 34 = 1.529412."
            " In truth 10 of 34 were right, 29.4 %."
        ),
        broken=(
            "labels = one_hot(y)             # N x 3\n"
            "said = logits.argmax(1, keepdim=True)  # N x 1\n"
            "right = (said == labels).sum()  # N x 3 !\n"
            "accuracy = right / len(y)"
        ),
        mended=(
            "y = labels.argmax(1)            # N\n"
            "said = logits.argmax(1)         # N\n"
            "right = (said == y).sum()       # N\n"
            "accuracy = right / len(y)"
        ),
        takeaway=(
            "Before two arrays are compared, say their shapes aloud. An impossible number is a"
            " gift: stop there, because the same line also decides which epoch is kept."
        ),
        source="NumPy: broadcasting",
        source_address="https://numpy.org/doc/stable/user/basics.broadcasting.html",
        terms=("one-hot", "broadcasting", "logits", "accuracy", "validation set", "checkpoint"),
        seconds=12,
    ),
    Lesson(
        slug="mode",
        module_name="modes",
        title="train(), called once",
        question="train() is called once, before the loop. What happens from epoch 2 on?",
        story=(
            "In Tasks 5 and 6 of the notebook `model.train()` stands above the loop over the"
            " epochs. Inside, after each epoch, the model is validated, and for that `model.eval()`"
            " is called, as it should be.\n\nThere is no error and no warning, and the loss goes on"
            " falling."
        ),
        choices=(
            "Nothing: training sets the mode by itself",
            "It learns with dropout off and statistics frozen",
            "It stops learning at all",
        ),
        task="The same training twice: train() once, and train() in every epoch; 15 epochs each.",
        because=(
            "Nothing switches back. From the second epoch on, dropout is off and batch"
            " normalisation works with the means and variances of the first epoch, while the"
            " layers before it go on changing: it normalises for a network that is no longer there."
            " How much that costs differs from run to run, since the later layers can learn to live"
            " with it."
        ),
        broken=(
            "model.train()\n"
            "for epoch in range(epochs):\n"
            "    for pictures, y in train_loader:\n"
            "        step(model, pictures, y)\n"
            "    validate(model)   # calls model.eval()"
        ),
        mended=(
            "for epoch in range(epochs):\n"
            "    model.train()\n"
            "    for pictures, y in train_loader:\n"
            "        step(model, pictures, y)\n"
            "    validate(model)   # calls model.eval()"
        ),
        takeaway=(
            "The function that trains says train(), the function that validates says eval(), each"
            " at its own beginning. Then no caller can forget."
        ),
        source="Ioffe & Szegedy 2015: batch normalisation, and why training and use differ",
        source_address="https://arxiv.org/abs/1502.03167",
        terms=("batch normalisation", "dropout", "training mode", "epoch", "validation set"),
        seconds=18,
    ),
    Lesson(
        slug="class-weights",
        module_name="weighing",
        title="Class weights, turned up",
        question="Turn the weight of one class up and up. What does the model do?",
        story=(
            "Classes are rarely of equal size, so rare ones are given more weight in the loss. In"
            " the notebook's set they are nearly equal (113, 139 and 122 pictures), so sensible"
            " weights lie between 0.9 and 1.1.\n\nWe turn the weight of the class with the fewest"
            " training pictures up to a hundredfold."
        ),
        choices=(
            "It gets better and better at that class, at no cost",
            "It calls more and more pictures that class, the others suffer",
            "Nothing changes, the scale of the weights cancels",
        ),
        task="Six trainings from the same start, one for each stop of the slider.",
        because=(
            "A weight moves the border between the classes; it brings no new knowledge. Where more"
            " pictures of the pushed class are found, it is because more pictures are called so."
            " Weights that even out class sizes change little where the classes are nearly equal."
        ),
        broken=(
            "weights = 1 / counts\n"
            "weights = weights / weights.sum()   # sums to 1\n"
            "targets = one_hot(y).float()\n"
            "loss = cross_entropy(logits, targets,\n"
            "                     weight=weights)\n"
            "# divided by the batch size: 3 times too small"
        ),
        mended=(
            "# w_c = N / (K n_c), training pictures only\n"
            "weights = counts.sum() / (len(counts) * counts)\n"
            "loss = cross_entropy(logits, y,\n"
            "                     weight=weights)\n"
            "# divided by the sum of the weights: scale cancels"
        ),
        takeaway=(
            "Weights trade one kind of mistake for another; they bring no new knowledge. Count them"
            " on training data only, and use class numbers as targets so that their scale cancels."
        ),
        source="PyTorch: CrossEntropyLoss, how the weighted mean is divided",
        source_address=(
            "https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html"
        ),
        terms=("class weights", "loss", "recall", "one-hot", "gradient", "accuracy"),
        seconds=25,
    ),
    Lesson(
        slug="freeze",
        module_name="freezing",
        title="Freeze what, when?",
        question="A frozen backbone gets no gradient. Can its features still move?",
        story=(
            "Task 7 of the notebook fine-tunes a pretrained network and means to freeze it for half"
            " of the epochs: there is an argument `freeze_epochs`, and nothing reads it.\n\nWe"
            " pretrain a small network on drawn textures, our stand-in for ImageNet, give it a new"
            " head, and watch how far its features drift from what it knew."
        ),
        choices=(
            "No: no gradient, no change",
            "Yes: batch normalisation goes on counting",
            "Yes: the head pulls them along",
        ),
        task="Pretraining on 1,200 textures, then four trainings of 8 epochs.",
        because=(
            "`requires_grad = False` stops the gradients. The running means and variances of batch"
            " normalisation are no parameters: in training mode every batch updates them, so the"
            " same picture gets other features. As for the order: a new head is random, and what it"
            " asks of the features at first is random too. Kumar et al. measured that this distorts"
            " good features of large networks. In a small one it can go either way, and how long"
            " each phase lasts and how fast it learns matter as well."
        ),
        broken=(
            "for p in model.backbone.parameters():\n"
            "    p.requires_grad = False\n"
            "for epoch in range(epochs):\n"
            "    model.train()       # statistics run on\n"
            "    train_one_epoch(model)"
        ),
        mended=(
            "for p in model.backbone.parameters():\n"
            "    p.requires_grad = False\n"
            "for epoch in range(epochs):\n"
            "    model.train()\n"
            "    model.backbone.eval()   # statistics stay\n"
            "    train_one_epoch(model)"
        ),
        takeaway=(
            "Frozen means no gradient and evaluation mode: check both. Which order of the phases"
            " keeps the pretrained features is to be measured on your own network and pictures."
        ),
        source="Kumar et al. 2022: fine-tuning can distort pretrained features",
        source_address="https://arxiv.org/abs/2202.10054",
        terms=("backbone", "head", "fine-tuning", "freezing", "batch normalisation", "features"),
        seconds=35,
    ),
    Lesson(
        slug="luck",
        module_name="luck",
        title="Is 51 % better than 45 %?",
        question="The same model, fifteen times. By how much will its accuracy vary?",
        story=(
            "The notebook compares models on six test patients: 50.77 % here, 45 % there, 35 % in a"
            " third cell. The better figure wins.\n\nWe train one and the same network ten times on"
            " one split, changing nothing but the seed, and then on other patient splits."
        ),
        choices=(
            "By 2 points at most: it is the same model",
            "By 3 to 10 points",
            "By more than 10 points",
        ),
        task="Fifteen short trainings: ten seeds on one split, then five more splits.",
        because=(
            "A seed changes the initial weights and the order of the pictures; a split changes who"
            " is tested. With six test patients, one patient more or less is 17 points. To tell"
            " 51 % from 45 %, each of two models needs over a thousand patients of its own."
        ),
        broken=(
            "a = train(model_a, seed=0)   # 0.45\n"
            "b = train(model_b, seed=0)   # 0.51\n"
            "best = max(a, b)             # model b wins"
        ),
        mended=(
            "a = [train(model_a, s) for s in range(10)]\n"
            "b = [train(model_b, s) for s in range(10)]\n"
            "# the same patients for both, an interval for\n"
            "# the difference; if it holds 0, say so\n"
            "paired_difference(a, b)"
        ),
        takeaway=(
            "One figure from one seed and six patients says almost nothing. Show the spread, judge"
            " over all patients out of fold, and let the interval speak before the winner does."
        ),
        source="Bouthillier et al. 2021: accounting for variance in machine learning benchmarks",
        source_address="https://arxiv.org/abs/2103.03098",
        terms=("seed", "split", "interval", "out of fold", "test set", "accuracy"),
        seconds=35,
    ),
    Lesson(
        slug="colour",
        module_name="colour",
        title="Three numbers",
        question="Three numbers: the mean colour of a picture. What can be told from them?",
        story=(
            "Haematoxylin and eosin never come out of the bath twice the same. Draw one row of"
            " thumbnails for every patient and you see it at once.\n\nWe throw all cells away, keep"
            " the mean red, green and blue of each picture, and ask the simplest of classifiers"
            " whose slide it is."
        ),
        choices=(
            "Next to nothing, it is only a colour",
            "The class, since diseases stain differently",
            "The patient, and with a leaky split so the class",
        ),
        task=(
            "Nearest neighbours on mean colours, then a small network trained without and with the"
            " stain jitter that lymph's training uses."
        ),
        because=(
            "Each slide has a stain of its own. Where the mean colour identifies the patient and"
            " that patient is in training, the class comes with the name; on new patients it does"
            " not. Grey takes the hue away and leaves the brightness, normalising evens out both,"
            " and the jitter of lymph's own training, each stain up to 20 % stronger or weaker,"
            " blurs the colour without removing it."
        ),
        broken=(
            "for pictures, y in train_loader:\n"
            "    # the colours as the slide gave them\n"
            "    step(model, pictures, y)"
        ),
        mended=(
            "for pictures, y in train_loader:\n"
            "    # each stain a little stronger or weaker\n"
            '    pictures = augment(pictures, ["stain"], draws)\n'
            "    step(model, pictures, y)"
        ),
        takeaway=(
            "Whatever identifies the patient can become a shortcut, and colour is the first to"
            " check. Vary the stain in training, do not rely on that alone, and judge on patients"
            " whose colours were never seen."
        ),
        source="Tellez et al. 2019: quantifying the effects of stain augmentation",
        source_address="https://arxiv.org/abs/1902.06543",
        terms=("stain", "haematoxylin and eosin", "augmentation", "shortcut", "leak", "interval"),
        seconds=30,
    ),
    Lesson(
        slug="depth",
        module_name="depth",
        title="Fifteen layers",
        question="Fifteen layers in a row: what makes them start to learn earlier?",
        story=(
            "The notebook's bonus task stacks fifteen convolutions, then does it again with"
            " residual connections, which add the input of a layer to its output.\n\nWe train three"
            " plain layers, fifteen, fifteen from other initial weights, and fifteen residual ones,"
            " and measure how much gradient reaches each layer."
        ),
        choices=(
            "Nothing but fewer layers: only three start earlier",
            "Shortcuts: only residual connections help",
            "Better initial weights: they help plain layers too",
        ),
        task="Four networks, 16 epochs each: three layers, fifteen, He's weights, residual.",
        because=(
            "On its way back the gradient passes every layer. With PyTorch's default initial"
            " weights each layer shrinks it about 2.4-fold, and fifteen leave a millionth; that"
            " such a network may start after all, late, is thanks to Adam, which divides its steps"
            " by the gradient's size. Larger initial weights (He et al. 2015) keep that size, and a"
            " residual connection leads around each layer. So shortcuts are one remedy for"
            " vanishing gradients, not the only one, nor were they invented for it: the plain"
            " networks of He et al. (2016) had healthy gradients, thanks to batch normalisation,"
            " and yet 34 layers trained worse than 18."
        ),
        broken=(
            "# PyTorch's default initial weights\n"
            "self.layers = nn.ModuleList(\n"
            "    nn.Conv2d(16, 16, 3, padding=1)\n"
            "    for _ in range(15))"
        ),
        mended=(
            "for layer in self.layers:\n"
            "    nn.init.kaiming_normal_(\n"
            "        layer.weight, nonlinearity='relu')\n"
            "    nn.init.zeros_(layer.bias)\n"
            "# or a way around each layer, in forward():\n"
            "#     x = x + relu(layer(x))"
        ),
        takeaway=(
            "When a loss will not move, look at the gradient of each layer before you blame the"
            " depth. Initial weights, normalisation and residual connections each keep it alive;"
            " try them one at a time, or you will not know which one helped."
        ),
        source="He et al. 2016: deep residual learning; section 4.1 on vanishing gradients",
        source_address="https://arxiv.org/abs/1512.03385",
        terms=("gradient", "convolution", "residual connection", "loss", "epoch"),
        seconds=20,
    ),
)

FROM_STUDIES = (CONTROL, PATIENT_NAMES, COVERAGE, SELECTION, CONFIDENCE)

LESSONS: tuple[Lesson, ...] = tuple(
    replace(lesson, number=place)
    for place, lesson in enumerate((*FROM_THE_NOTEBOOK, *FROM_STUDIES), start=1)
)


def lesson_of(slug: str) -> Lesson:
    """Return the lesson of a name.

    Raises
    ------
    LymphError
        When there is none.
    """
    for lesson in LESSONS:
        if lesson.slug == slug:
            return lesson
    known = ", ".join(lesson.slug for lesson in LESSONS)
    raise LymphError(f"There is no lesson {brief(slug)}; choose one of {known}.")
