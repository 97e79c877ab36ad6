"""Proof that nothing is unpredictable: every event thrown at small orders, in every order, with crashes at commits."""
