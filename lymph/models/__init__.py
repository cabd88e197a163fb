"""The networks, how a picture becomes their input, and where their values come from.

Only the description of the models is imported here, so that a page can list them without torch.
"""

from lymph.models.specs import MODELS, ModelSpec

__all__ = ["MODELS", "ModelSpec"]
