"""A run's model answers for new pictures."""

from lymph.inference.classify import Answer, Classifier, classify_files, load_classifier

__all__ = ["Answer", "Classifier", "classify_files", "load_classifier"]
