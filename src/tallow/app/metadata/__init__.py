"""What pictures say beside the picture, removed before they are sent."""

from tallow.app.metadata.strip import MetadataError, strip, strip_all

__all__ = ["MetadataError", "strip", "strip_all"]
