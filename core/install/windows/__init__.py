"""What only Windows needs: finding Pythons and processes, and running the tests there."""
