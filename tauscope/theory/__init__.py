"""What is known in closed form: one module a question."""
