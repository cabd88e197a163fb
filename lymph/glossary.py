"""The field's terms in one sentence each, for people who meet them for the first time."""

GLOSSARY: dict[str, str] = {
    "accuracy": "The share of pictures (or patients) that the model classifies correctly.",
    "augmentation": "Changing training pictures at random (turned, flipped, stained otherwise), so"
    " that the model does not memorise them.",
    "backbone": "The long first part of a network, which turns a picture into features.",
    "balanced accuracy": "The mean of the classes' recalls: a large class weighs no more than a"
    " small one.",
    "batch": "The few pictures that are learned from in one step, here 16 or 32.",
    "batch normalisation": "A layer that brings its input to mean 0 and deviation 1: of the batch"
    " while training, of kept running statistics in use.",
    "broadcasting": "NumPy's and PyTorch's way to stretch a smaller array over a larger one when"
    " the two are combined.",
    "Brier score": "The mean squared distance between the probabilities and the truth (1 for the"
    " right class, 0 for the others): 0 is perfect, and one third for each of three classes 0.67.",
    "calibration": "Whether 80 % sure means right in 80 of 100 cases.",
    "checkpoint": "A saved state of a model, usually of its best epoch.",
    "class": "One of the answers: CLL, FL or MCL.",
    "class weights": "Factors in the loss that make mistakes on one class cost more.",
    "CLL": "Chronic lymphocytic leukaemia.",
    "CNN": "Convolutional neural network: layers of small filters that slide over a picture.",
    "confusion matrix": "A table of what the pictures are (rows) against what the model calls them"
    " (columns).",
    "convolution": "A layer of small filters that slide over a picture and answer to edges, grains"
    " and shapes.",
    "dropout": "Switching off a random part of a layer while training, so that no unit is relied on"
    " alone.",
    "ECE": "Expected calibration error: how far confidence and accuracy lie apart, averaged over"
    " groups of similar confidence; with few patients even a perfect model is above 0.",
    "effective size": "How many independent pictures would tell as much: many of one patient"
    " resemble each other, so a test set is worth fewer than it has.",
    "epoch": "One pass over all training pictures.",
    "features": "The numbers into which a backbone turns a picture.",
    "fine-tuning": "Further training of a network that was first trained on other pictures.",
    "FL": "Follicular lymphoma.",
    "fold": "One of the parts into which patients are divided; each is the test set once.",
    "freezing": "Keeping a part of a network as it is while the rest learns.",
    "Grad-CAM": "A map of the places in a picture that spoke for an answer.",
    "gradient": "For each parameter, the direction and size of the change that would raise the loss"
    " most; training steps the other way.",
    "haematoxylin and eosin": "The two everyday stains of pathology: nuclei violet, the rest pink.",
    "head": "The short last part of a network, which turns features into an answer.",
    "interval": "The range in which the true figure plausibly lies; a 95 % interval misses it in"
    " about 5 of 100 studies, for new patients of the same kind.",
    "kappa": "Agreement beyond chance: 0 is what guessing by the class frequencies would score, and"
    " 1 is always right.",
    "leak": "Knowledge about the test set that slips into training, such as other pictures of a"
    " test patient.",
    "learning rate": "The size of the training steps.",
    "logits": "A network's raw scores, one per class; softmax turns them into probabilities.",
    "loss": "How wrong the model is, as a number to make small; pure guessing among K classes gives"
    " ln K.",
    "macro F1": "The classes' mean of a figure that is high only when precision and recall are.",
    "MCL": "Mantle cell lymphoma.",
    "one-hot": "A class written as a row with a single 1: FL, the second of three, is 0 1 0.",
    "optimiser": "The rule that steps the parameters, and the list of those it steps.",
    "out of fold": "Predicted by the model of the fold that did not train on this patient, so that"
    " every patient is tested once.",
    "parameters": "The numbers that a network learns.",
    "patient": "One person, with one disease and about a dozen pictures here.",
    "PCA": "Principal component analysis: the directions in which features vary most, the first"
    " two make a map whose distances hold as far as two directions can show them.",
    "precision": "Of the pictures called a class, the share that belongs to it.",
    "recall": "Of the pictures of a class, the share that is found.",
    "residual connection": "Adding a layer's input to its output, so that signal and gradient can"
    " pass by.",
    "ResNet-50": "A well-known network of 50 layers with residual connections.",
    "ROC area": "How often a picture of a class is given a higher probability of it than one of"
    " another class: 0.5 is guessing, 1 is perfect.",
    "seed": "The number that starts a computer's random choices: the same seed, the same choices.",
    "shortcut": "Something easy that goes along with the answer in these pictures and will not in"
    " others, such as the stain of a slide.",
    "slide": "A glass with a thin, stained slice of tissue.",
    "split": "Which patients train, which validate and which test.",
    "stain": "The dyes of a slide; their strength differs from day to day and laboratory to"
    " laboratory.",
    "t-SNE": "A map that keeps neighbours in feature space together; distances between groups and"
    " their sizes mean nothing.",
    "temperature": "One number, fitted on validation patients, that divides the logits so that"
    " confidence fits accuracy; the answers stay the same.",
    "test set": "Patients held back to the end, to evaluate the model once.",
    "training mode": "The state of a model in which dropout and batch statistics are active; it"
    " stays until somebody changes it.",
    "training set": "The patients that the model learns from.",
    "validation set": "Patients that choose among epochs and settings; the model does not learn"
    " from them.",
}


def search(words: str) -> list[str]:
    """Return the terms that some words fit: those named so first, then those explained by them.

    Without words these are all, in alphabetical order; case is ignored.
    """
    sought = words.strip().casefold()
    terms = sorted(GLOSSARY, key=str.lower)
    named = [term for term in terms if sought in term.casefold()]
    named.sort(key=lambda term: not term.casefold().startswith(sought))
    told = [term for term in terms if sought in GLOSSARY[term].casefold()]
    return list(dict.fromkeys([*named, *told]))
