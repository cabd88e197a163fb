"""The errors that a user can cause. Each message is one plain sentence that names the remedy."""


class LymphError(Exception):
    """Something the user can put right; pages show the message, commands end with it and code 2."""


class DataError(LymphError):
    """A folder, archive or download that cannot serve as a data set."""


class ClassesUnknown(DataError):
    """Pictures were found, but nothing tells their classes: somebody has to say."""


class DiskError(LymphError, OSError):
    """A file that cannot be written: the disk is full, or the folder is closed to writing.

    Who guards against an ``OSError`` guards against it too; ``errno`` tells which one it was.
    """


class DatabaseError(LymphError):
    """What visitors share cannot be read or changed: the file is in use, damaged, or too new."""


class PictureError(LymphError):
    """One picture that cannot be read."""


class SplitError(LymphError):
    """A split that cannot be made, read or used with these data."""


class ConfigError(LymphError):
    """A training configuration with an unknown key or an impossible value."""


class WeightsError(LymphError):
    """A file of network parameters that cannot be loaded."""


class RunError(LymphError):
    """A run folder that cannot be created, found, started or read."""


class ClassError(LymphError):
    """What cannot be done in a class: it is somebody else's, or beyond what was agreed."""


class EvaluationError(LymphError):
    """A prediction table that does not hold what is asked for."""
