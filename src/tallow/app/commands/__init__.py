"""The commands of the application: ``serve``, ``send``, ``receive``, ``settings``, ``demo``."""
