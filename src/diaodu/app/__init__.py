"""装配: the composition root: command line, web, workers, wiring, and the demonstration operator."""
