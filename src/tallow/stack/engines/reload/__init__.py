"""Changed settings: validated as a whole, written as a whole, accepted by each service or taken back."""
