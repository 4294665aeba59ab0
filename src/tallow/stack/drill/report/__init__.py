"""What a drill shows and writes down."""
