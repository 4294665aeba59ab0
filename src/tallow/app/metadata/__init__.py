"""What pictures say beside the picture, removed before they are sent."""

from tallow.app.metadata.errors import CleaningStoppedError
from tallow.app.metadata.formats import uncleaned
from tallow.app.metadata.strip import MetadataError, strip, strip_all

__all__ = ["CleaningStoppedError", "MetadataError", "strip", "strip_all", "uncleaned"]
