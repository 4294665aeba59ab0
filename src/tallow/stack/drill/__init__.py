"""Alert drills: inject a real fault into a real stack and follow its alert to every receiver."""
