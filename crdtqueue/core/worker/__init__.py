"""The cycle of one printer: which job it takes, and what it does before and after each print."""
