"""The demonstration operator: made from the parameters in ``operator.yaml`` and a seed, loaded with COPY."""
