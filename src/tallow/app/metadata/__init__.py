"""What pictures say beside the picture, removed before they are sent."""

from tallow.app.metadata.errors import StrippingStoppedError
from tallow.app.metadata.strip import MetadataError, strip, strip_all
from tallow.app.metadata.unsupported_formats import unstripped_warning

__all__ = ["MetadataError", "StrippingStoppedError", "strip", "strip_all", "unstripped_warning"]
