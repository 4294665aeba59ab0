"""Where drilled pages arrive: endpoints as strict as the originals, so that what they take would be taken."""
